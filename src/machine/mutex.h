// Mutex: a lock that sleeps. Taken with interrupts on and no spin lock held, only through MutexGuard. Ranked
// like spin locks; the ranks of the mutexes that a thread holds are kept in the thread's
// HeldMutexes. While nobody else wants it, taking and giving back are one compare-and-swap each, inline.
#pragma once

#include <atomic>

#include "machine/park.h"

class CAPABILITY("mutex") Mutex {
public:
    Mutex(LockRank rank, const char* name) : name_(name), rank_(rank), wait_lock_(LockRank::MutexWait, name) {}
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    void acquire() ACQUIRE() {
        ThreadBase& self = cpu::current_base();
        HeldMutexes& held = self.held_mutexes;
        ASSERT(cpu::interrupts_on());       // and so no spin lock is held
        Mutex* outer = held.innermost;
        if (outer != nullptr && outer->rank_ >= rank_) [[unlikely]] {
            report_order(*outer);
        }
        uint64_t expected = 0;
        if (!word_.compare_exchange_strong(expected, word_of(self), std::memory_order_acquire,
                                           std::memory_order_relaxed)) [[unlikely]] {
            acquire_contended(word_of(self));
        }
        outer_ = outer;
        held.innermost = this;
    }
    void release() RELEASE() {
        ThreadBase& self = cpu::current_base();
        HeldMutexes& held = self.held_mutexes;
        ASSERT(held.innermost == this);
        held.innermost = outer_;
        uint64_t expected = word_of(self);
        if (!word_.compare_exchange_strong(expected, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]] {
            release_contended();
        }
    }
    bool held() const;      // by the current thread
    void assert_held() const ASSERT_HELD(this) { ASSERT(held()); }

    // Shows the thread that keeps others waiting, if there is one; meanwhile it can not let go.
    void show_holder(void (*show)(ThreadBase& holder));

    const char* name() const { return name_; }
    LockRank rank() const { return rank_; }
    Mutex* outer() const { return outer_; }     // while it is held: what its holder took before, if anything

private:
    static constexpr uint64_t contended = 1;
    static uint64_t word_of(const ThreadBase& thread) { return reinterpret_cast<uint64_t>(&thread); }
    void acquire_contended(uint64_t self);
    void wait_for_turn(uint64_t self);
    void release_contended();
    [[noreturn]] void report_order(const Mutex& innermost) const;

    const char* name_;
    LockRank rank_;
    std::atomic<uint64_t> word_{0};     // the owner's address, `contended` in bit 0
    Mutex* outer_ = nullptr;            // the owner's
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

inline HeldMutexes& held_mutexes_of(Thread& thread) { return reinterpret_cast<ThreadBase&>(thread).held_mutexes; }
