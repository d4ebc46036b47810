// Everything of the thread is given back, but nobody thought of signals, and the errors come too late.
#include "kernel/proc/vfork.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/sched.h"

void proc_vfork_begin(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    ++parent.loans;
}

void proc_vfork_end(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    ASSERT(parent.loans > 0);
    --parent.loans;
}

Result<> vfork(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Proc& parent = current_proc();
    proc_vfork_begin(parent);
    if (uthread.loan) {
        return Error::Invalid;
    }
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(parent));
    ZoneOwned<Proc> made = TRY(forkproc(parent, std::move(slot)));
    Proc& child = *made.release();
    fp_sync();
    uthread.loan.emplace(child, ThreadLoan::Saved{frame, cpu::user_thread_pointer(), uthread.mask, uthread.pending,
                                                  uthread.fault, std::move(uthread.assumed), std::move(uthread.directory),
                                                  uthread.thread.uses_fp, uthread.thread.fp});
    publish(parent, child);
    child.lent_thread = &uthread.thread;
    frame.x[0] = 0;
    frame.x[1] = 1;
    return {};
}

void vfork_return(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Proc& child = uthread.loan->child();
    ThreadLoan::Saved saved = std::move(*uthread.loan).give_back();
    uthread.loan.reset();
    child.lent_thread = nullptr;
    frame = saved.frame;
    frame.x[0] = static_cast<uint64_t>(number(child.pid));
    frame.x[1] = 0;
    cpu::set_user_thread_pointer(saved.thread_pointer);
    uthread.mask = saved.mask;
    uthread.pending = saved.pending;
    uthread.assumed = std::move(saved.assumed);
    uthread.directory = std::move(saved.directory);
    if (saved.uses_fp) {
        fp_replace(saved.fp);
    }
    proc_vfork_end(*uthread.proc);
}

void vfork_exit(UserFrame& frame, int wait_status) {
    Proc& child = current_proc();
    begin_exit(child);
    vfork_return(frame);
    become_zombie(child, wait_status);
}

Result<uint64_t> sys_vfork(UserFrame& frame) {
    TRY(vfork(frame));
    return frame.x[0];
}
