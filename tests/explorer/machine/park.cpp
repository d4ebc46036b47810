// Sleeping under the explorer: who sleeps is blocked until somebody wakes it, a signal comes, or time passes because nobody
// else can go on.
#include "machine/park.h"

#include <algorithm>
#include <vector>

#include "explorer/engine/engine.h"
#include "explorer/machine/machine.h"
#include "kernel/sched.h"
#include "kernel/timer.h"
#include "machine/clock.h"

namespace {

struct Sleeper {
    explorer::LogicalThread* logical = nullptr;
    Thread* thread = nullptr;
    bool interruptible = false;
    Nanoseconds deadline = never;
    bool over = false;
    WakeReason reason = WakeReason::Woken;

    // The first reason counts.
    bool end(WakeReason why) {
        if (over) {
            return false;
        }
        over = true;
        reason = why;
        explorer::unblock(*logical);
        return true;
    }
};

// Outside of what is put back for each schedule.
std::vector<Sleeper*>* all_sleepers = nullptr;
std::vector<Sleeper*>& sleepers() { return *all_sleepers; }
Nanoseconds clock_now = 0;
unsigned sleeps_begun = 0;
Nanoseconds interrupt_at[max_cores] = {never, never, never, never};    // each core's clock

bool asked(const Thread& thread) {
    return (thread.return_work.load(std::memory_order_relaxed) & ~static_cast<uint32_t>(ReturnWork::Reschedule)) != 0;
}

WakeReason sleep(Sleeper& self, const char* what, const void* object) {
    sleepers().push_back(&self);
    ++sleeps_begun;
    if (self.interruptible && asked(*self.thread)) {
        self.end(WakeReason::Interrupted);
    }
    if (self.deadline <= clock_now) {
        self.end(WakeReason::TimedOut);
    }
    while (!self.over) {
        explorer::block(what, object);
    }
    sleepers().erase(std::find(sleepers().begin(), sleepers().end(), &self));
    return self.reason;
}

Sleeper sleeper(ParkOptions options) {
    Sleeper self;
    if (!explorer::in_case()) {
        panic("tests/explorer: a thread would sleep outside of a case");
    }
    self.logical = &explorer::self();
    self.thread = cpu::current_thread();
    self.interruptible = options.interruptible;
    self.deadline = options.deadline;
    return self;
}

}  // namespace

namespace host {

void forget_sleepers() {
    if (all_sleepers == nullptr) {
        all_sleepers = new std::vector<Sleeper*>;
    }
    sleepers().clear();
}

unsigned sleeps() { return sleeps_begun; }

void interrupt_sleep(Thread& thread) {
    explorer::Unwatched unwatched;
    for (Sleeper* one : sleepers()) {
        if (one->thread == &thread && one->interruptible) {
            one->end(WakeReason::Interrupted);
        }
    }
}

void set_clock(Nanoseconds now) {
    explorer::Unwatched unwatched;
    clock_now = now > clock_now ? now : clock_now;
    for (Sleeper* one : sleepers()) {
        if (one->deadline <= clock_now) {
            one->end(WakeReason::TimedOut);
        }
    }
}

}  // namespace host

namespace {

void clock_interrupt() {
    (void)cpu::disable_interrupts();
    timer_interrupt();
    cpu::restore_interrupts(true);
}

}  // namespace

// The clocks that ring interrupt cores that have nothing to do. Who woke up at that very time, or is woken by an interrupt, runs
// beside it.
bool explorer::machine::pass_time() {
    Nanoseconds earliest = *std::min_element(interrupt_at, interrupt_at + max_cores);
    for (const Sleeper* one : sleepers()) {
        earliest = one->over ? earliest : std::min(earliest, one->deadline);
    }
    if (earliest == never) {
        return false;
    }
    host::set_clock(earliest);
    for (unsigned core = 0; core < max_cores; ++core) {
        if (interrupt_at[core] <= clock_now) {
            interrupt_at[core] = never;
            explorer::spawn("clock", clock_interrupt, nullptr, static_cast<int>(core));
        }
    }
    return true;
}

namespace machine_clock {

Nanoseconds now() { return clock_now; }
void set_deadline(Nanoseconds deadline) { interrupt_at[cpu::current().id] = deadline; }

}  // namespace machine_clock

WakeReason park(Channel& channel, SpinLock& lock, ParkOptions options) {
    ASSERT(cpu::current().held.only(lock));
    explorer::Unwatched unwatched;
    Sleeper self = sleeper(options);
    Waiter waiter;
    waiter.thread = self.thread;
    waiter.machine = &self;
    channel.waiters.push_back(waiter);
    lock.release();
    const WakeReason reason = sleep(self, options.interruptible ? "sleep until a wake or a signal on" : "sleep until a wake on",
                                    &lock);
    lock.acquire();
    if (waiter.link.linked()) {
        waiter.link.unlink();
    }
    return reason;
}

bool wake_one(Channel& channel) {
    explorer::point("wake");
    explorer::Unwatched unwatched;
    while (Waiter* waiter = channel.waiters.pop_front()) {
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
    explorer::Unwatched unwatched;
    Sleeper self = sleeper({.interruptible = interruptible, .deadline = deadline});
    return sleep(self, "sleep until a time", nullptr);
}
