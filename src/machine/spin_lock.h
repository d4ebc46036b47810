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
        if (held.depth != 0 && held.locks[held.depth - 1]->rank_ >= rank_) [[unlikely]] {
            report_order(*held.locks[held.depth - 1]);
        }
        if (locked_.exchange(true, std::memory_order_acquire)) [[unlikely]] {
            wait();
        }
        ASSERT(held.depth < HeldLocks::capacity);
        held.locks[held.depth++] = this;
    }
    void release() RELEASE() {
        HeldLocks& held = cpu::current().held;
        ASSERT(held.depth > 0 && held.locks[held.depth - 1] == this);
        --held.depth;
        locked_.store(false, std::memory_order_release);
    }
    // True if this core holds it.
    bool held() const {
        const HeldLocks& held = cpu::current().held;
        for (unsigned i = 0; i < held.depth; ++i) {
            if (held.locks[i] == this) {
                return true;
            }
        }
        return false;
    }
    void assert_held() const ASSERT_HELD(this) { ASSERT(held()); }

    const char* name() const { return name_; }
    LockRank rank() const { return rank_; }

private:
    [[noreturn]] void report_order(const SpinLock& innermost) const;
    // Until the lock is ours; panics when that takes so long that it must be a deadlock.
    void wait();

    const char* name_;
    std::atomic<bool> locked_{false};
    LockRank rank_;
};

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
