// Lab 4: vfork by lending the thread. The contract is vfork.h, the handout labs/lab4/README.md.
//
// Two halves, each the other's mirror: what `lend` puts aside, `come_home` takes back. Each changes sides under the parent's
// signals.lock, because whoever signals the parent looks for a thread there; the child's claim on the thread (lent_thread)
// is made and dropped under the child's. The two locks have one rank: one after the other, never together.
#include "kernel/proc/vfork.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"

namespace {

// The thread becomes the child's. Nobody knows the child yet, so its claim on the thread comes first.
void lend(Proc& parent, Proc& child, const UserFrame& frame) {
    UThread& uthread = current_uthread();
    Thread& thread = uthread.thread;
    fp_sync();
    {
        SpinGuard guard(child.signals.lock);
        child.lent_thread = &thread;
    }
    SpinGuard guard(parent.signals.lock);
    uthread.loan.emplace(child, frame, cpu::user_thread_pointer(), uthread.mask, std::exchange(uthread.pending, 0), uthread.fault,
                         std::move(uthread.assumed), std::move(uthread.directory), thread.uses_fp, thread.fp);
    tell_again_locked(parent);      // what this thread was told of and did not take yet
}

// What the program sees of the processor is the parent's again. Only the thread itself looks at this: no lock.
void restore_registers(UserFrame& frame, const ThreadLoan::Saved& saved, Pid child) {
    frame = saved.frame;
    frame.x[0] = static_cast<uint64_t>(number(child));
    frame.x[1] = 0;
    cpu::set_user_thread_pointer(saved.thread_pointer);
    if (saved.uses_fp) {
        fp_replace(saved.fp);
    } else {
        fp_discard();
    }
}

// From here signals to the child find its own task, or nobody because it ends.
void leave_child(Proc& child, UThread& uthread) {
    SpinGuard guard(child.signals.lock);
    child.lent_thread = nullptr;
    hand_pending_to_locked(child, uthread);
}

// The Unix half is the parent's again, the loan is over, and the thread looks for what came for the parent meanwhile.
void come_home(Proc& parent, UThread& uthread) {
    // The child's own, if it took any. Dropping them may sleep; behind this, both have room for the parent's.
    uthread.assumed.reset();
    uthread.directory.reset();

    Thread& thread = uthread.thread;
    SpinGuard guard(parent.signals.lock);
    ThreadLoan::Saved&& saved = std::move(*uthread.loan).give_back();
    uthread.mask = saved.mask;
    uthread.pending = saved.pending;
    uthread.fault = saved.fault;
    uthread.assumed = std::move(saved.assumed);
    uthread.directory = std::move(saved.directory);
    uthread.restarts_call = false;
    uthread.mask_before_suspend.reset();
    uthread.loan.reset();

    if ((parent.signals.pending & signal_bit(FL_SIGKILL)) == 0) {
        thread.done(ReturnWork::Kill);      // it was meant for the child, and would keep the parent from stopping
    }
    if (parent.signals.stopped) {
        thread.ask(ReturnWork::Stop);
    }
    thread.ask(ReturnWork::Signal);
}

}  // namespace

void proc_vfork_begin(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    ++parent.loans;
}

void proc_vfork_end(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    if (parent.loans == 0) {
        panic("a thread was given back that was never lent; the lender's pid", static_cast<uint64_t>(number(parent.pid)));
    }
    --parent.loans;
}

Result<> vfork(UserFrame& frame) {
    if (current_uthread().loan) {
        return Error::Invalid;
    }
    Proc& parent = current_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(parent));
    ZoneOwned<Proc> made = TRY(forkproc(parent, std::move(slot)));

    // Commit. Nothing below this line can fail.
    Proc& child = *made.release();
    proc_vfork_begin(parent);
    lend(parent, child, frame);
    frame.x[0] = 0;
    frame.x[1] = 1;
    publish(parent, child);
    return {};
}

void vfork_return(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Proc& parent = *uthread.proc;
    Proc& child = uthread.loan->child();
    restore_registers(frame, uthread.loan->saved(), child.pid);
    leave_child(child, uthread);
    come_home(parent, uthread);
    proc_vfork_end(parent);
}

void vfork_exit(UserFrame& frame, int wait_status) {
    Proc& child = current_proc();
    begin_exit(child);
    vfork_return(frame);
    become_zombie(child, wait_status);      // from here the parent may reap it: child is not ours any more
}

Result<uint64_t> sys_vfork(UserFrame& frame) {
    TRY(vfork(frame));
    return frame.x[0];
}
