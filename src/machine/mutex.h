// Mutex: a lock that sleeps. Taken with interrupts on and no spin lock held, only through MutexGuard. Ranked
// like spin locks; the ranks of the mutexes that a thread holds are kept in the thread's HeldMutexes.
#pragma once

#include <atomic>

#include "machine/park.h"

class CAPABILITY("mutex") Mutex {
public:
    Mutex(LockRank rank, const char* name) : name_(name), rank_(rank), wait_lock_(LockRank::MutexWait, name) {}
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    void acquire() ACQUIRE();
    void release() RELEASE();
    bool held() const;      // by the current thread
    void assert_held() const ASSERT_HELD(this) { ASSERT(held()); }

    const char* name() const { return name_; }
    LockRank rank() const { return rank_; }

private:
    static constexpr uint64_t contended = 1;
    void acquire_contended(uint64_t self);
    void release_contended();
    [[noreturn]] void report_order(const Mutex& innermost) const;

    const char* name_;
    LockRank rank_;
    std::atomic<uint64_t> word_{0};     // the owner's address, `contended` in bit 0
    SpinLock wait_lock_;
    Channel waiters_;
};

class SCOPED_CAPABILITY MutexGuard {
public:
    explicit MutexGuard(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.acquire(); }
    ~MutexGuard() RELEASE() { mutex_.release(); }
    MutexGuard(const MutexGuard&) = delete;
    MutexGuard& operator=(const MutexGuard&) = delete;

private:
    Mutex& mutex_;
};

// The mutexes that a thread holds, innermost last; the seam finds it (cpu.h's current thread).
struct HeldMutexes {
    static constexpr unsigned capacity = 6;
    const Mutex* mutexes[capacity];
    unsigned depth;
};
HeldMutexes& held_mutexes_of(Thread& thread);   // kernel/thread.h defines it, or the host's machine
