// Interval timers. See interval_timer.h.
#include "kernel/proc/interval_timer.h"

#include "kernel/proc/proc.h"
#include "kernel/time_values.h"
#include "machine/clock.h"

namespace {

constexpr int signals[] = {FL_SIGALRM, FL_SIGVTALRM, FL_SIGPROF};
constexpr Nanoseconds shortest_wait = 100'000;      // so that the shortest interval leaves time for programs

}  // namespace

Nanoseconds IntervalTimer::now() const {
    if (clock_ == FL_ITIMER_REAL) {
        return machine_clock::now();
    }
    const ForkloreUsage usage = proc_usage(proc_);
    return nanoseconds_of(usage.user) + (clock_ == FL_ITIMER_PROF ? nanoseconds_of(usage.system) : 0);
}

void IntervalTimer::arm(Nanoseconds now) {
    const Nanoseconds left = due_ > now ? due_ - now : 0;
    const Nanoseconds wait = clock_ == FL_ITIMER_REAL ? left : left / max_cores;
    if (!proc_.exiting) {
        timer_.arm(machine_clock::now() + (wait > shortest_wait ? wait : shortest_wait));
    }
}

// The clock is read before the lock, which reading it takes.
IntervalTimer::Setting IntervalTimer::setting() {
    const Nanoseconds read = now();
    SpinGuard guard(proc_.signals.lock);
    // One that is due and has not rung yet has the shortest time left that is not "off".
    const Nanoseconds left = due_ == 0 ? 0 : due_ > read ? due_ - read : 1;
    return {.interval = interval_, .left = left};
}

void IntervalTimer::set(const Setting& wanted) {
    const Nanoseconds read = now();
    SpinGuard guard(proc_.signals.lock);
    interval_ = wanted.interval;
    due_ = wanted.left == 0 ? 0 : read + wanted.left;
    if (due_ != 0) {
        arm(read);
    }
}

void IntervalTimer::look(void* context) {
    IntervalTimer& self = *static_cast<IntervalTimer*>(context);
    const Nanoseconds read = self.now();
    {
        SpinGuard guard(self.proc_.signals.lock);
        if (self.due_ == 0) {
            return;     // turned off meanwhile
        }
        if (read < self.due_) {
            self.arm(read);
            return;
        }
        // Ringings that were missed are not made up for: a signal is pending once.
        self.due_ = self.interval_ == 0 ? 0 : read + self.interval_ - (read - self.due_) % self.interval_;
        if (self.due_ != 0) {
            self.arm(read);
        }
    }
    signal_process(self.proc_, {.signal = signals[self.clock_]});
}
