// Blocking and waking on the Pi: machine/park.h by the scheduler.
//
// A sleep ends once: whoever changes the state from Blocked or Sleeping to Ready says why and queues the thread. The
// sleeper sets the state and links its Waiter before it lets go of the channel's lock, so a waker that has the lock finds
// both. A waker that comes too late, because a signal or the deadline won, goes on to the next sleeper.
#include "machine/park.h"

#include "kernel/core.h"

namespace {

// False if the sleep is over already.
bool end_sleep(Thread& thread, ThreadState from, WakeReason reason) {
    if (!thread.state.compare_exchange_strong(from, ThreadState::Ready, std::memory_order_acq_rel,
                                              std::memory_order_relaxed)) {
        return false;
    }
    thread.wake_reason.store(reason, std::memory_order_relaxed);
    make_ready(thread);
    return true;
}

// The kind of a sleep does not change while it lasts.
bool wake(Thread& thread, WakeReason reason) {
    const ThreadState from = thread.state.load(std::memory_order_relaxed);
    return (from == ThreadState::Blocked || from == ThreadState::Sleeping) && end_sleep(thread, from, reason);
}

void deadline_passed(void* thread) { wake(*static_cast<Thread*>(thread), WakeReason::TimedOut); }

struct LongWait {
    Thread& waiter;
    Mutex& mutex;
};

void wait_is_long(void* wait) {
    const auto& [waiter, mutex] = *static_cast<LongWait*>(wait);
    report_long_wait(waiter, mutex);
}

void block_for_mutex(Thread& self, Mutex& mutex) {
    constexpr Nanoseconds usual_most = 10 * nanoseconds_per_second;
    LongWait wait{self, mutex};
    Timer timer(wait_is_long, &wait);
    timer.arm(machine_clock::now() + usual_most);
    block(self);
    timer.cancel();
}

void begin_sleep(Thread& self, bool interruptible) {
    self.state.store(interruptible ? ThreadState::Sleeping : ThreadState::Blocked, std::memory_order_relaxed);
}

// Whether the current thread was asked something that a sleep must not delay, and is back to Running.
bool asked_before_sleep(Thread& self) {
    // The state is seen by all before the asked work is looked at: thread_poke does it the other way round.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!self.must_return()) {
        return false;
    }
    ThreadState from = ThreadState::Sleeping;
    return self.state.compare_exchange_strong(from, ThreadState::Running, std::memory_order_acq_rel);
}

// After begin_sleep(), no lock held.
WakeReason finish_sleep(Thread& self, ParkOptions options) {
    if (options.interruptible && asked_before_sleep(self)) {
        return WakeReason::Interrupted;
    }
    if (options.awaited != nullptr) {
        block_for_mutex(self, *options.awaited);
    } else if (options.deadline == never) {
        block(self);
    } else {
        Timer timer(deadline_passed, &self);
        timer.arm(options.deadline);
        block(self);
        timer.cancel();
    }
    return self.wake_reason.load(std::memory_order_relaxed);
}

}  // namespace

bool wake_sleeper(Thread& thread, WakeReason reason) {
    return thread.state.load(std::memory_order_relaxed) == ThreadState::Sleeping &&
           end_sleep(thread, ThreadState::Sleeping, reason);
}

WakeReason park(Channel& channel, SpinLock& lock, ParkOptions options) {
    ASSERT(cpu::current().held.only(lock));
    Thread& self = *cpu::current_thread();
    Waiter waiter;
    waiter.thread = &self;
    channel.waiters.push_back(waiter);
    begin_sleep(self, options.interruptible);
    lock.release();
    const WakeReason reason = finish_sleep(self, options);
    lock.acquire();
    if (waiter.link.linked()) {
        waiter.link.unlink();
    }
    return reason;
}

bool wake_one(Channel& channel) {
    while (Waiter* waiter = channel.waiters.pop_front()) {
        if (wake(*waiter->thread, WakeReason::Woken)) {
            return true;
        }
    }
    return false;
}

void wake_all(Channel& channel) {
    while (wake_one(channel)) {
    }
}

WakeReason sleep_until(Nanoseconds deadline, bool interruptible) {
    InterruptGuard guard;
    Thread& self = *cpu::current_thread();
    begin_sleep(self, interruptible);
    return finish_sleep(self, {.interruptible = interruptible, .deadline = deadline});
}
