// The Unix half of a thread: making it and taking it apart.
#include "kernel/proc/uthread.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/proc/vfork.h"

Zone& UThread::zone() {
    static Zone& zone =
        zone_create({.name = "uthreads", .element_size = sizeof(UThread), .clear_on_free = true}).value();
    return zone;
}

Result<ZoneOwned<UThread>> uthread_alloc(Thread& thread, Proc& proc, const UThread* from, UThreadOptions options) {
    auto uthread = TRY(zone_new<UThread>({.wait = false}, thread, proc));
    if (!options.inherit) {
        uthread->mask = worker_mask;
        return uthread;
    }
    if (from != nullptr) {
        uthread->mask = from->mask_before_suspend.value_or(from->mask);
        if (from->proc == &proc) {
            uthread->assumed = from->assumed;
        } else {
            uthread->alternate = from->alternate;       // in a copy of the memory: two threads of one can not share it
        }
    }
    return uthread;
}

void uthread_cleanup(UThread& uthread) {
    if (uthread.loan) {
        vfork_exit(uthread.thread.user_frame(), status_of_signal(FL_SIGKILL));
    }
    uthread.directory.reset();
    Proc& proc = *uthread.proc;
    {
        SpinGuard guard(proc.signals.lock);
        hand_pending_to_locked(proc, uthread);
    }
    uthread.assumed.reset();
}
