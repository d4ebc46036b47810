// The reference solution of lab 4: the thread changes sides, nothing else moves.
#include "kernel/proc/vfork.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"

namespace {

// From here the current thread is the child's, which nobody sees yet. Signals to the parent wait, or go to its other
// threads: whoever looks for a thread holds the same lock. The thread's own identity and directory are put aside: what the
// child changes now is the child process's.
void lend(UThread& uthread, Proc& parent, Proc& child, const UserFrame& frame) {
    child.lent_thread = &uthread.thread;
    fp_sync();
    SpinGuard guard(parent.signals.lock);
    // Member by member, as Saved has them: nothing is copied twice.
    uthread.loan.emplace(child, frame, cpu::user_thread_pointer(), uthread.mask, std::exchange(uthread.pending, 0),
                         uthread.fault, std::move(uthread.assumed), std::move(uthread.directory), uthread.thread.uses_fp,
                         uthread.thread.fp);
    tell_again_locked(parent);
}

// The child has no claim on the thread any more; what was pending for the thread as the child stays with the child.
void leave_child(UThread& uthread, Proc& child) {
    SpinGuard guard(child.signals.lock);
    child.lent_thread = nullptr;
    hand_pending_to_locked(child, uthread);
}

// The thread is the parent's again, and stops if that is stopped.
void come_home(UThread& uthread, Proc& parent, UserFrame& frame) {
    Ref<Credentials> assumed_by_child = std::move(uthread.assumed);     // dropped after the lock
    Ref<Vnode> directory_of_child = std::move(uthread.directory);
    if (uthread.loan->saved().uses_fp) {
        fp_replace(uthread.loan->saved().fp);
    } else {
        fp_discard();
    }
    SpinGuard guard(parent.signals.lock);
    ThreadLoan::Saved&& saved = std::move(*uthread.loan).give_back();
    uthread.mask = saved.mask;
    uthread.pending = saved.pending;
    uthread.fault = saved.fault;
    uthread.assumed = std::move(saved.assumed);
    uthread.directory = std::move(saved.directory);
    uthread.mask_before_suspend.reset();
    uthread.restarts_call = false;
    cpu::set_user_thread_pointer(saved.thread_pointer);
    frame = saved.frame;
    if (parent.signals.stopped) {
        uthread.thread.ask(ReturnWork::Stop);
    }
    uthread.loan.reset();
}

}  // namespace

void proc_vfork_begin(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    ++parent.loans;
}

void proc_vfork_end(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    if (parent.loans == 0) {
        panic("vfork: a process got back a thread that it never lent (pid)", static_cast<uint64_t>(number(parent.pid)));
    }
    --parent.loans;
}

Result<> vfork(UserFrame& frame) {
    UThread& uthread = current_uthread();
    if (uthread.loan) {
        return Error::Invalid;
    }
    Proc& parent = current_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(parent));
    ZoneOwned<Proc> made = TRY(forkproc(parent, std::move(slot)));

    // Commit. Nothing below this line can fail.
    Proc& child = *made.release();
    proc_vfork_begin(parent);
    lend(uthread, parent, child, frame);
    publish(parent, child);
    frame.x[0] = 0;
    frame.x[1] = 1;
    return {};
}

void vfork_return(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Proc& child = uthread.loan->child();
    Proc& parent = *uthread.proc;
    Pid pid = child.pid;
    leave_child(uthread, child);
    come_home(uthread, parent, frame);
    frame.x[0] = static_cast<uint64_t>(number(pid));
    frame.x[1] = 0;
    proc_vfork_end(parent);
    uthread.thread.ask(ReturnWork::Signal);     // for signals that waited
}

void vfork_exit(UserFrame& frame, int wait_status) {
    Proc& child = current_proc();
    begin_exit(child);
    vfork_return(frame);
    become_zombie(child, wait_status);          // from here another thread of the parent may reap it
}

Result<uint64_t> sys_vfork(UserFrame& frame) {
    TRY(vfork(frame));
    return frame.x[0];
}
