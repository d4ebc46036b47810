// Sleeping on the host: each sleeper has a condition variable; signals and the settable clock wake it too.
#include "machine/park.h"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

#include "host.h"
#include "kernel/sched.h"
#include "machine/clock.h"

namespace {

struct Sleeper {
    Thread* thread = nullptr;
    bool interruptible = false;
    Nanoseconds deadline = never;
    bool over = false;
    WakeReason reason = WakeReason::Woken;
    std::condition_variable changed;

    // The first reason counts.
    bool end(WakeReason why) {
        if (over) {
            return false;
        }
        over = true;
        reason = why;
        changed.notify_one();
        return true;
    }
};

std::mutex sleepers_lock;       // guards the list and each Sleeper in it
std::list<Sleeper*> sleepers;
std::atomic<Nanoseconds> clock_now{0};
std::atomic<Nanoseconds> deadlines[max_cores]{};

void pass_time_locked(Nanoseconds now) {
    if (now > clock_now.load()) {
        clock_now = now;
    }
    for (Sleeper* sleeper : sleepers) {
        if (sleeper->deadline <= now) {
            sleeper->end(WakeReason::TimedOut);
        }
    }
}

WakeReason sleep(Sleeper& self) {
    constexpr auto patience = std::chrono::milliseconds(20);
    std::unique_lock guard(sleepers_lock);
    sleepers.push_back(&self);
    if (self.interruptible && self.thread->must_return()) {
        self.end(WakeReason::Interrupted);
    }
    if (self.deadline <= clock_now.load()) {
        self.end(WakeReason::TimedOut);
    }
    while (!self.over) {
        if (self.deadline == never || !host::clock_moves) {
            self.changed.wait(guard);
        } else if (self.changed.wait_for(guard, patience) == std::cv_status::timeout) {
            pass_time_locked(self.deadline);
        }
    }
    sleepers.remove(&self);
    return self.reason;
}

}  // namespace

namespace host {

std::atomic<bool> clock_moves{true};

void set_clock(Nanoseconds now) {
    std::lock_guard guard(sleepers_lock);
    clock_now = now;
    pass_time_locked(now);
}

Nanoseconds deadline_of(unsigned core) { return deadlines[core].load(); }

size_t sleeping() {
    std::lock_guard guard(sleepers_lock);
    return sleepers.size();
}

// Ends the interruptible sleep of a thread, if it is in one.
void interrupt_sleep(Thread& thread) {
    std::lock_guard guard(sleepers_lock);
    for (Sleeper* sleeper : sleepers) {
        if (sleeper->thread == &thread && sleeper->interruptible) {
            sleeper->end(WakeReason::Interrupted);
        }
    }
}

}  // namespace host

namespace machine_clock {

Nanoseconds now() { return clock_now.load(); }
void set_deadline(Nanoseconds deadline) { deadlines[cpu::current().id] = deadline; }

}  // namespace machine_clock

WakeReason park(Channel& channel, SpinLock& lock, ParkOptions options) {
    ASSERT(cpu::current().held.only(lock));
    Sleeper self;
    self.thread = cpu::current_thread();
    self.interruptible = options.interruptible;
    self.deadline = options.deadline;
    Waiter waiter;
    waiter.thread = self.thread;
    waiter.machine = &self;
    channel.waiters.push_back(waiter);
    lock.release();
    WakeReason reason = sleep(self);
    lock.acquire();
    if (waiter.link.linked()) {
        waiter.link.unlink();
    }
    return reason;
}

bool wake_one(Channel& channel) {
    while (Waiter* waiter = channel.waiters.pop_front()) {
        std::lock_guard guard(sleepers_lock);
        if (static_cast<Sleeper*>(waiter->machine)->end(WakeReason::Woken)) {
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
    Sleeper self;
    self.thread = cpu::current_thread();
    self.interruptible = interruptible;
    self.deadline = deadline;
    return sleep(self);
}
