// Mutex: the way when somebody else wants it too.
//
// The word is the owner's address, with `contended` set while somebody sleeps; 0 is free. A release wakes the first
// sleeper but does not hand over: a running thread may be faster, so that a busy mutex does not wait for a switch at
// every release.
#include "machine/mutex.h"

#include "base/format.h"
#include "machine/trace.h"

void Mutex::acquire_contended(uint64_t self) {
    trace::lock_event(TraceKind::LockWait, name_, this, __builtin_return_address(0));
    wait_for_turn(self);
    trace::lock_event(TraceKind::LockTaken, name_, this, __builtin_return_address(0));
}

void Mutex::wait_for_turn(uint64_t self) {
    SpinGuard guard(wait_lock_);
    for (;;) {
        uint64_t seen = word_.load(std::memory_order_relaxed);
        if ((seen & ~contended) == 0) {
            const uint64_t mine = waiters_.waiters.empty() ? self : self | contended;
            if (word_.compare_exchange_strong(seen, mine, std::memory_order_acquire, std::memory_order_relaxed)) {
                return;
            }
        } else if ((seen & contended) != 0 ||
                   word_.compare_exchange_strong(seen, seen | contended, std::memory_order_relaxed)) {
            // With the bit set the owner takes the wait lock to release, so it finds us.
            park(waiters_, wait_lock_, {.awaited = this});
        }
    }
}

void Mutex::release_contended() {
    SpinGuard guard(wait_lock_);
    wake_one(waiters_);
    // The woken one takes the wait lock to acquire, so it sees what is stored here.
    word_.store(waiters_.waiters.empty() ? 0 : contended, std::memory_order_release);
}

bool Mutex::held() const { return (word_.load(std::memory_order_relaxed) & ~contended) == word_of(cpu::current_base()); }

void Mutex::show_holder(void (*show)(ThreadBase& holder)) {
    SpinGuard guard(wait_lock_);
    const uint64_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & contended) != 0 && seen != contended) {
        show(*reinterpret_cast<ThreadBase*>(seen & ~contended));
    }
}

void Mutex::report_order(const Mutex& innermost) const {
    TextBuffer<160> text;
    text.add("lock order: mutex \"{}\" (rank {}) taken while holding \"{}\" (rank {})", name_, rank_, innermost.name_,
             innermost.rank_);
    panic(text.c_str());
}
