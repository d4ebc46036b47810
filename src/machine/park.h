// Blocking: put the current thread to sleep on a channel, wake a channel's sleepers.
//
// The protocol that loses no wake-up: the sleeper holds the spin lock that guards the condition, finds it
// false, and calls park(); park enqueues the thread and releases the lock as one step as far as any waker
// can tell, and takes the lock again before it returns. The waker changes the condition and wakes the
// channel under the same lock. A sleeper always looks at its condition again.
//
// On the Pi the scheduler implements it, on the host a condition variable.
#pragma once

#include "base/list.h"
#include "base/types.h"
#include "machine/spin_lock.h"

enum class WakeReason : uint8_t { Woken, Interrupted, TimedOut };

// One sleeping thread on one channel. Lives on the sleeper's stack; guarded by the channel's lock.
struct Waiter {
    Thread* thread = nullptr;
    ListNode link;
    void* machine = nullptr;    // the host's condition variable
};

// What is slept on. All its functions want the one spin lock that guards it and its condition.
struct Channel {
    List<Waiter, &Waiter::link> waiters;
};

struct ParkOptions {
    bool interruptible = false;     // a signal ends the sleep with Interrupted
    Nanoseconds deadline = never;   // absolute; ends it with TimedOut
    // What is waited for, without a deadline. If that takes long, the Pi says once who waits, who holds it, and where.
    Mutex* awaited = nullptr;
};

// Exactly one spin lock may be held: `lock`. Held again on return.
WakeReason park(Channel& channel, SpinLock& lock, ParkOptions options = {}) REQUIRES(lock);

// Wakes the sleeper that has waited longest. A sleeper that was already woken by a signal or a deadline does not
// use up the wake-up: the next one gets it. True if somebody was woken. The channel's lock is held.
bool wake_one(Channel& channel);
void wake_all(Channel& channel);
