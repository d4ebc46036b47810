// Timers: a function called at a time, in interrupt context, on the core that armed it.
#pragma once

#include "base/list.h"
#include "base/types.h"

class Timer {
public:
    using Function = void (*)(void* context);
    Timer(Function function, void* context) : function_(function), context_(context) {}
    ~Timer();                               // panics if armed

    void arm(Nanoseconds deadline);         // absolute; rearms if armed
    // After it returns the function does not run and will not run. True if it had not run yet. No lock held that
    // the function takes.
    bool cancel();
    bool armed() const;

private:
    friend class TimerQueue;
    Function function_;
    void* context_;
    Nanoseconds deadline_ = never;
    ListNode link_;
    int core_ = -1;                         // whose queue it is on
};

void timer_interrupt();                     // the core's clock interrupt: runs what is due, sets the next deadline
Nanoseconds realtime_offset();              // seconds since 1970 at power-on, in nanoseconds
void set_realtime(Nanoseconds now_since_1970);
