// The limit of processor time. See cpu_limit.h.
#include "kernel/proc/cpu_limit.h"

#include "kernel/proc/proc.h"
#include "kernel/time_values.h"
#include "machine/clock.h"

namespace {

constexpr Nanoseconds shortest_wait = 1'000'000;

Nanoseconds used_by(Proc& proc) {
    const ForkloreUsage usage = proc_usage(proc);
    return nanoseconds_of(usage.user) + nanoseconds_of(usage.system);
}

// Seconds of a limit; what can never be reached counts as none.
Nanoseconds time_of_limit(uint64_t seconds) {
    return seconds < never / nanoseconds_per_second ? seconds * nanoseconds_per_second : never;
}

}  // namespace

void CpuLimit::watch(Proc& proc) { look(&proc); }

void CpuLimit::look(void* context) {
    Proc& proc = *static_cast<Proc*>(context);
    Nanoseconds soft, hard;
    {
        SpinGuard guard(proc.lock);
        const ForkloreLimit& limit = proc.limits->values[FL_RLIMIT_CPU];
        soft = time_of_limit(limit.current);
        hard = time_of_limit(limit.maximum);
    }
    if (soft == never && hard == never) {
        return;
    }
    const Nanoseconds used = used_by(proc);
    if (used >= hard) {
        signal_process(proc, {.signal = FL_SIGKILL});
        return;
    }
    CpuLimit& self = proc.cpu_limit;
    if (used >= soft && used >= self.next_warning_) {
        signal_process(proc, {.signal = FL_SIGXCPU});
        self.next_warning_ = used + nanoseconds_per_second;
    }
    Nanoseconds next = used < soft ? soft : self.next_warning_;
    next = next < hard ? next : hard;
    const Nanoseconds wait = (next - used) / max_cores;
    SpinGuard guard(proc.signals.lock);
    if (!proc.exiting) {
        self.timer_.arm(machine_clock::now() + (wait > shortest_wait ? wait : shortest_wait));
    }
}
