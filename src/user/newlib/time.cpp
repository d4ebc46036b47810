// Clocks, sleeping, timers.
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "user/newlib/convert.h"
#include "user/newlib/system_call.h"

namespace {

constexpr long microsecond = 1000;
constexpr long million = 1000000;

// newlib counts a clock_t in CLOCKS_PER_SEC.
clock_t clock_from(const ForkloreTime& time) {
    return static_cast<clock_t>(time.seconds * CLOCKS_PER_SEC + time.nanoseconds / (1000000000 / CLOCKS_PER_SEC));
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, struct timespec* now) { return posix(system_call(SYS_clock_gettime, clock, now)); }
int clock_settime(clockid_t clock, const struct timespec* now) {
    return posix(system_call(SYS_clock_settime, clock, now));
}
int clock_getres(clockid_t clock, struct timespec* resolution) {
    struct timespec now;
    if (clock_gettime(clock, &now) == -1) {
        return -1;
    }
    uint64_t frequency;
    asm("mrs %0, cntfrq_el0" : "=r"(frequency));
    if (resolution != nullptr) {
        *resolution = {0, static_cast<long>((1000000000 + frequency - 1) / frequency)};
    }
    return 0;
}

int gettimeofday(struct timeval* __restrict now, void* __restrict) {
    ForkloreTime time;
    const long result = system_call(SYS_clock_gettime, FL_CLOCK_REALTIME, &time);
    if (!is_error(result)) {
        *now = timeval_from_kernel(time);
    }
    return posix(result);
}
int _gettimeofday(struct timeval* __restrict, void* __restrict) NEWLIB_NAME(gettimeofday);
int settimeofday(const struct timeval* now, const struct timezone*) {
    const ForkloreTime time = time_to_kernel(*now);
    return posix(system_call(SYS_clock_settime, FL_CLOCK_REALTIME, &time));
}

int nanosleep(const struct timespec* time, struct timespec* remaining) {
    return posix(system_call(SYS_nanosleep, time, remaining));
}
unsigned sleep(unsigned seconds) {
    const struct timespec time = {static_cast<time_t>(seconds), 0};
    struct timespec remaining = {};
    if (nanosleep(&time, &remaining) == 0) {
        return 0;
    }
    return static_cast<unsigned>(remaining.tv_sec) + (remaining.tv_nsec >= 500000000 ? 1 : 0);
}
int usleep(useconds_t microseconds) {
    const struct timespec time = {static_cast<time_t>(microseconds / million),
                                  static_cast<long>(microseconds % million * microsecond)};
    return nanosleep(&time, nullptr);
}

int setitimer(int which, const struct itimerval* __restrict timer, struct itimerval* __restrict old) {
    ForkloreTimer kernel_timer = {}, kernel_old;
    if (timer != nullptr) {
        kernel_timer = {time_to_kernel(timer->it_interval), time_to_kernel(timer->it_value)};
    }
    const long result = system_call(SYS_setitimer, which, timer != nullptr ? &kernel_timer : nullptr,
                                    old != nullptr ? &kernel_old : nullptr);
    if (old != nullptr && !is_error(result)) {
        *old = {timeval_from_kernel(kernel_old.interval), timeval_from_kernel(kernel_old.value)};
    }
    return posix(result);
}
int getitimer(int which, struct itimerval* timer) {
    ForkloreTimer kernel_timer;
    const long result = system_call(SYS_getitimer, which, &kernel_timer);
    if (!is_error(result)) {
        *timer = {timeval_from_kernel(kernel_timer.interval), timeval_from_kernel(kernel_timer.value)};
    }
    return posix(result);
}

// Seconds left of the timer before, rounded up, so that a running one never looks like none.
unsigned alarm(unsigned seconds) {
    const struct itimerval timer = {{0, 0}, {static_cast<time_t>(seconds), 0}};
    struct itimerval old = {};
    if (setitimer(ITIMER_REAL, &timer, &old) == -1) {
        return 0;
    }
    return static_cast<unsigned>(old.it_value.tv_sec) + (old.it_value.tv_usec != 0 ? 1 : 0);
}
useconds_t ualarm(useconds_t first, useconds_t interval) {
    const struct itimerval timer = {{static_cast<time_t>(interval / million), static_cast<suseconds_t>(interval % million)},
                                    {static_cast<time_t>(first / million), static_cast<suseconds_t>(first % million)}};
    struct itimerval old = {};
    setitimer(ITIMER_REAL, &timer, &old);
    return static_cast<useconds_t>(old.it_value.tv_sec * million + old.it_value.tv_usec);
}

clock_t times(struct tms* usage) {
    ForkloreUsage self, children;
    ForkloreTime now;
    long result = system_call(SYS_getrusage, 0, &self);
    if (!is_error(result)) {
        result = system_call(SYS_getrusage, -1, &children);
    }
    if (!is_error(result)) {
        result = system_call(SYS_clock_gettime, FL_CLOCK_MONOTONIC, &now);
    }
    if (is_error(result)) {
        return posix<clock_t>(result);
    }
    *usage = {clock_from(self.user), clock_from(self.system), clock_from(children.user), clock_from(children.system)};
    return clock_from(now);
}
clock_t _times(struct tms*) NEWLIB_NAME(times);

}  // extern "C"
