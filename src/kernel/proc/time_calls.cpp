// Clocks, sleeping, and the interval timers of a process.
#include "kernel/proc/calls.h"
#include "kernel/proc/proc.h"
#include "kernel/sched.h"
#include "kernel/time_values.h"
#include "machine/clock.h"
#include "mm/user_copy.h"

Result<uint64_t> sys_clock_gettime(UserFrame& frame) {
    Nanoseconds now = 0;
    switch (frame.x[0]) {
    case FL_CLOCK_MONOTONIC:
        now = machine_clock::now();
        break;
    case FL_CLOCK_REALTIME:
        now = machine_clock::now() + realtime_offset();
        break;
    case FL_CLOCK_PROCESS: {
        ForkloreUsage usage = proc_usage(current_proc());
        now = nanoseconds_of(usage.user) + nanoseconds_of(usage.system);
        break;
    }
    case FL_CLOCK_THREAD: {
        Nanoseconds user = 0, system = 0;
        thread_times(*cpu::current_thread(), user, system);
        now = user + system;
        break;
    }
    default:
        return Error::Invalid;
    }
    TRY(copy_out_value(UserAddr(frame.x[1]), time_of(now)));
    return 0;
}

Result<uint64_t> sys_clock_settime(UserFrame& frame) {
    if (frame.x[0] != FL_CLOCK_REALTIME) {
        return Error::Invalid;
    }
    auto time = TRY(copy_in_value<ForkloreTime>(UserAddr(frame.x[1])));
    Nanoseconds since_1970 = TRY(nanoseconds_asked(time));
    if (!current_credentials()->is_root()) {
        return Error::NotPermitted;
    }
    set_realtime(since_1970);
    return 0;
}

Result<uint64_t> sys_nanosleep(UserFrame& frame) {
    auto time = TRY(copy_in_value<ForkloreTime>(UserAddr(frame.x[0])));
    UserAddr remaining(frame.x[1]);
    Nanoseconds deadline = machine_clock::now() + TRY(nanoseconds_asked(time));
    if (sleep_until(deadline, true) == WakeReason::TimedOut) {
        return 0;
    }
    if (!remaining.null()) {
        Nanoseconds now = machine_clock::now();
        TRY(copy_out_value(remaining, time_of(now < deadline ? deadline - now : 0)));
    }
    return Error::Interrupted;
}

namespace {

Result<IntervalTimer*> timer_named(uint64_t which) {
    return which < FL_ITIMER_COUNT ? Result<IntervalTimer*>(&current_proc().interval_timers[which]) : Error::Invalid;
}

Result<> tell_setting(UserAddr at, IntervalTimer& timer) {
    const IntervalTimer::Setting setting = timer.setting();
    return copy_out_value(at, ForkloreTimer{time_of(setting.interval), time_of(setting.left)});
}

}  // namespace

Result<uint64_t> sys_getitimer(UserFrame& frame) {
    IntervalTimer* timer = TRY(timer_named(frame.x[0]));
    TRY(tell_setting(UserAddr(frame.x[1]), *timer));
    return 0;
}

Result<uint64_t> sys_setitimer(UserFrame& frame) {
    UserAddr old_at(frame.x[2]);
    IntervalTimer* timer = TRY(timer_named(frame.x[0]));
    auto asked = TRY(copy_in_value<ForkloreTimer>(UserAddr(frame.x[1])));
    const Nanoseconds interval = TRY(nanoseconds_asked(asked.interval));
    const Nanoseconds left = TRY(nanoseconds_asked(asked.value));
    if (!old_at.null()) {
        TRY(tell_setting(old_at, *timer));
    }
    timer->set({.interval = interval, .left = left});
    return 0;
}
