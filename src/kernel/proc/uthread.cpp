// The Unix half of a thread: making it and taking it apart.
#include "kernel/proc/uthread.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/proc.h"

Zone& UThread::zone() {
    static Zone& zone =
        zone_create({.name = "uthreads", .element_size = sizeof(UThread), .clear_on_free = true}).value();
    return zone;
}

Result<ZoneOwned<UThread>> uthread_alloc(Thread& thread, Proc& proc, const UThread* from, UThreadOptions options) {
    auto uthread = TRY(zone_new<UThread>({.wait = false}, thread, proc));
    if (!options.inherit_mask) {
        uthread->mask = ~unblockable_signals;
    } else if (from != nullptr) {
        uthread->mask = from->mask_before_suspend.value_or(from->mask);
    }
    if (from != nullptr && from->proc == &proc) {
        uthread->assumed = from->assumed;
    }
    return uthread;
}

void uthread_cleanup(UThread& uthread) {
    ASSERT(!uthread.loan);
    uthread.directory.reset();
    Proc& proc = *uthread.proc;
    SignalSet left = 0;
    {
        SpinGuard guard(proc.signals.lock);
        left = std::exchange(uthread.pending, 0) & ~proc.signals.pending;
    }
    for (int signal = 1; signal < FORKLORE_NSIG; ++signal) {
        if (left & signal_bit(signal)) {
            signal_process(proc, {.signal = signal});
        }
    }
    uthread.assumed.reset();
}
