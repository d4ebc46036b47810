// Clocks, sleeping, and the alarm of a process.
#include "kernel/proc/calls.h"
#include "kernel/proc/proc.h"
#include "kernel/sched.h"
#include "machine/clock.h"
#include "mm/user_copy.h"

namespace {

ForkloreTime time_of(Nanoseconds t) {
    return {static_cast<int64_t>(t / nanoseconds_per_second), static_cast<int64_t>(t % nanoseconds_per_second)};
}

Nanoseconds nanoseconds_valid(const ForkloreTime& time) {
    return static_cast<Nanoseconds>(time.seconds) * nanoseconds_per_second + static_cast<Nanoseconds>(time.nanoseconds);
}

}  // namespace

Result<Nanoseconds> nanoseconds_asked(const ForkloreTime& time) {
    constexpr int64_t longest_seconds = 1ll << 32;      // longer is for ever: 292 years would overflow
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= static_cast<int64_t>(nanoseconds_per_second)) {
        return Error::Invalid;
    }
    int64_t seconds = time.seconds < longest_seconds ? time.seconds : longest_seconds;
    return static_cast<Nanoseconds>(seconds) * nanoseconds_per_second + static_cast<Nanoseconds>(time.nanoseconds);
}

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
        now = nanoseconds_valid(usage.user) + nanoseconds_valid(usage.system);
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

constexpr uint64_t real_timer = 0;

ForkloreTimer timer_of_locked(Proc& proc) REQUIRES(proc.signals.lock) {
    Nanoseconds now = machine_clock::now();
    // An alarm that is due and not yet delivered has the shortest time left that is not "off".
    Nanoseconds left = proc.alarm_deadline == 0 ? 0 : proc.alarm_deadline > now ? proc.alarm_deadline - now : 1;
    return {time_of(proc.alarm_interval), time_of(left)};
}

}  // namespace

Result<uint64_t> sys_getitimer(UserFrame& frame) {
    if (frame.x[0] != real_timer) {
        return Error::Invalid;
    }
    Proc& proc = current_proc();
    ForkloreTimer timer;
    {
        SpinGuard guard(proc.signals.lock);
        timer = timer_of_locked(proc);
    }
    TRY(copy_out_value(UserAddr(frame.x[1]), timer));
    return 0;
}

Result<uint64_t> sys_setitimer(UserFrame& frame) {
    UserAddr wanted_at(frame.x[1]);
    UserAddr old_at(frame.x[2]);
    if (frame.x[0] != real_timer) {
        return Error::Invalid;
    }
    auto wanted = TRY(copy_in_value<ForkloreTimer>(wanted_at));
    Nanoseconds value = TRY(nanoseconds_asked(wanted.value));
    Nanoseconds interval = TRY(nanoseconds_asked(wanted.interval));
    Proc& proc = current_proc();
    ForkloreTimer old;
    {
        SpinGuard guard(proc.signals.lock);
        old = timer_of_locked(proc);
    }
    if (!old_at.null()) {
        TRY(copy_out_value(old_at, old));
    }
    proc.alarm.cancel();
    SpinGuard guard(proc.signals.lock);
    proc.alarm_interval = interval;
    proc.alarm_deadline = value == 0 ? 0 : machine_clock::now() + value;
    if (value != 0 && !proc.exiting) {
        proc.alarm.arm(proc.alarm_deadline);
    }
    return 0;
}
