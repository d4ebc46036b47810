// SpinLock: mutual exclusion between cores for a few instructions. Portable; ranked; interrupts are off
// while it is held. Taken only through SpinGuard.
#pragma once

#include <atomic>

#include "base/panic.h"
#include "base/thread_safety.h"
#include "machine/cpu.h"
#include "machine/lock_rank.h"

class CAPABILITY("spin lock") SpinLock {
public:
    constexpr SpinLock(LockRank rank, const char* name) : name_(name), rank_(rank) {}
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

    // Interrupts are off from before acquire until after release; SpinGuard sees to it.
    void acquire() ACQUIRE() {
        HeldLocks& held = cpu::current().held;
        SpinLock* outer = held.innermost;
        if (outer != nullptr && outer->rank_ >= rank_) [[unlikely]] {
            report_order(*outer);
        }
        if (locked_.exchange(taken, std::memory_order_acquire) != 0) [[unlikely]] {
            wait();
        }
        outer_ = outer;
        held.innermost = this;
    }
    void release() RELEASE() {
        HeldLocks& held = cpu::current().held;
        ASSERT(held.innermost == this);
        held.innermost = outer_;
        locked_.store(0, std::memory_order_release);
    }
    // True if this core holds it.
    bool held() const {
        for (const SpinLock* lock = cpu::current().held.innermost; lock != nullptr; lock = lock->outer_) {
            if (lock == this) {
                return true;
            }
        }
        return false;
    }
    void assert_held() const ASSERT_HELD(this) { ASSERT(held()); }

    const char* name() const { return name_; }
    LockRank rank() const { return rank_; }
    SpinLock* outer() const { return outer_; }      // while it is held: what its holder took before, if anything

private:
    static constexpr uint32_t taken = 1;

    [[noreturn]] void report_order(const SpinLock& innermost) const;
    // Until the lock is ours; panics when that takes so long that it must be a deadlock.
    void wait();

    const char* name_;
    SpinLock* outer_ = nullptr;             // the holder's
    std::atomic<uint32_t> locked_{0};       // or `taken`: a whole word, which is compared with 0 as it is
    LockRank rank_;
};

inline bool HeldLocks::only(const SpinLock& lock) const { return innermost == &lock && lock.outer() == nullptr; }

class SCOPED_CAPABILITY SpinGuard {
public:
    explicit SpinGuard(SpinLock& lock) ACQUIRE(lock) : lock_(lock), interrupts_were_on_(cpu::disable_interrupts()) {
        lock_.acquire();
    }
    ~SpinGuard() RELEASE() {
        lock_.release();
        cpu::restore_interrupts(interrupts_were_on_);
    }
    SpinGuard(const SpinGuard&) = delete;
    SpinGuard& operator=(const SpinGuard&) = delete;

private:
    SpinLock& lock_;
    bool interrupts_were_on_;
};

// Interrupts off for a scope, where no lock is needed: data of this core.
class InterruptGuard {
public:
    InterruptGuard() : were_on_(cpu::disable_interrupts()) {}
    ~InterruptGuard() { cpu::restore_interrupts(were_on_); }
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

private:
    bool were_on_;
};
