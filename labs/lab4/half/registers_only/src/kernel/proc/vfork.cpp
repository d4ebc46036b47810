// As far as step 3 of the handout: registers, exit and exec. Nothing else of the thread is put aside.
#include "kernel/proc/vfork.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/sched.h"

void proc_vfork_begin(Proc& parent) { ++parent.loans; }

void proc_vfork_end(Proc& parent) { --parent.loans; }

Result<> vfork(UserFrame& frame) {
    UThread& uthread = current_uthread();
    if (uthread.loan) {
        return Error::Invalid;
    }
    Proc& parent = current_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(parent));
    ZoneOwned<Proc> made = TRY(forkproc(parent, std::move(slot)));
    Proc& child = *made.release();
    proc_vfork_begin(parent);
    child.lent_thread = &uthread.thread;
    ThreadLoan::Saved saved{};
    saved.frame = frame;
    uthread.loan.emplace(child, std::move(saved));
    publish(parent, child);
    frame.x[0] = 0;
    frame.x[1] = 1;
    return {};
}

void vfork_return(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Proc& child = uthread.loan->child();
    child.lent_thread = nullptr;
    frame = uthread.loan->saved().frame;
    frame.x[0] = static_cast<uint64_t>(number(child.pid));
    frame.x[1] = 0;
    static_cast<void>(std::move(*uthread.loan).give_back());
    uthread.loan.reset();
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
