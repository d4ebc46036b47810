// UThread: the Unix half of a thread: signal mask, working directory, assumed identity and, while it is lent, the loan.
//
// Only its own thread touches it, but for what is marked; it lives as long as its thread does. Counterpart: struct uthread.
#pragma once

#include <optional>

#include "kernel/fs/vnode.h"
#include "kernel/proc/credentials.h"
#include "kernel/proc/loan.h"
#include "kernel/proc/signal.h"
#include "kernel/thread.h"

struct UThreadOptions {
    bool inherit_mask = true;   // else the mask of a worker: everything that may be blocked is
};

struct UThread {
    static Zone& zone();

    explicit UThread(Thread& its_thread, Proc& its_proc) : thread(its_thread), proc(&its_proc) {}

    Thread& thread;
    Proc* proc;                     // of the task; while lent, the loan's child is current_proc()
    // Guarded by current_proc()'s signals.lock.
    SignalSet mask = 0;
    SignalSet pending = 0;
    ForkloreSiginfo fault{};        // of a pending signal that this thread raised by a fault
    bool restarts_call = false;     // the frame stands before a system call that a signal interrupted
    std::optional<SignalSet> mask_before_suspend;   // sigsuspend is under way: what to restore

    Ref<Credentials> assumed;       // the thread's own identity, if it took one
    Ref<Vnode> directory;           // the thread's own, if it took one
    std::optional<ThreadLoan> loan; // present while the thread runs as the child of its vfork
};

// The Unix half for `thread`, which will belong to `proc`. `from` is the thread that makes it, if one does: its mask is
// inherited (the saved one if a suspend is under way), its assumed identity only within one task. NoMemory.
Result<ZoneOwned<UThread>> uthread_alloc(Thread& thread, Proc& proc, const UThread* from, UThreadOptions options = {});
// Before the current thread ends: ends a loan, drops the directory, and hands its pending signals back to the process.
void uthread_cleanup(UThread& uthread);
