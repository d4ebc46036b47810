// IntervalTimer: rings a signal when one of a process's clocks has gone on by so much, once or again and again.
//
// Three clocks: real time (SIGALRM), time that its threads run in the program (SIGVTALRM), time that they run at all
// (SIGPROF). Nothing ticks: the timer looks when its clock can have got there at the earliest, which for processor time is if
// all cores run threads of the process. A child has none, a new program has its predecessor's. Lock: Proc::signals.lock.
#pragma once

#include "abi/forklore.h"
#include "kernel/timer.h"

class Proc;

class IntervalTimer {
public:
    struct Setting {
        Nanoseconds interval = 0;   // from one ringing to the next; 0: once
        Nanoseconds left = 0;       // until it rings; 0: it does not
    };

    IntervalTimer(Proc& proc, ForkloreItimer clock) : proc_(proc), clock_(clock), timer_(&IntervalTimer::look, this) {}

    // No lock from Proc on held.
    Setting setting();
    void set(const Setting& wanted);
    // Does not ring again. The process is exiting; no lock held.
    void end() { timer_.cancel(); }
    bool armed() const { return timer_.armed(); }

private:
    static void look(void* timer);
    Nanoseconds now() const;        // of the clock
    void arm(Nanoseconds now);      // proc_.signals.lock is held

    Proc& proc_;
    const ForkloreItimer clock_;
    Timer timer_;
    Nanoseconds interval_ = 0;
    Nanoseconds due_ = 0;           // by the clock; 0: it does not ring
};
