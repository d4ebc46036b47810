// RLIMIT_CPU: a process that has used its processor time gets SIGXCPU, again after each further second, and SIGKILL at the
// hard limit.
//
// Nothing ticks: the process's own timer looks when the limit can be reached at the earliest, which is if all cores run
// its threads all the time. Lock: Proc::signals.lock to arm it. Counterpart in the original: p_rlim_cpu, TASK_VTIMER_RLIM.
#pragma once

#include "kernel/timer.h"

class Proc;

class CpuLimit {
public:
    explicit CpuLimit(Proc& proc) : timer_(&CpuLimit::look, &proc) {}

    // Looks at the limit, and from now on as often as it takes: for a new child, and after setrlimit. No lock from Proc on held.
    static void watch(Proc& proc);
    // Does not look again. The process is exiting; no lock held.
    void end() { timer_.cancel(); }
    bool watching() const { return timer_.armed(); }

private:
    static void look(void* proc);

    Timer timer_;
    Nanoseconds next_warning_ = 0;      // in used time; 0: at the soft limit
};
