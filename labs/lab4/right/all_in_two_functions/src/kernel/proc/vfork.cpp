// Lending is written out in vfork, coming home in vfork_return, and the count is taken under the lock that both hold anyway.
#include "kernel/proc/vfork.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"

namespace {

void begin_locked(Proc& parent) REQUIRES(parent.signals.lock) { ++parent.loans; }

void end_locked(Proc& parent) REQUIRES(parent.signals.lock) {
    ASSERT(parent.loans != 0);
    --parent.loans;
}

}  // namespace

void proc_vfork_begin(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    begin_locked(parent);
}

void proc_vfork_end(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    end_locked(parent);
}

Result<> vfork(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Thread& thread = uthread.thread;
    if (uthread.loan) {
        return Error::Invalid;
    }
    Proc& parent = current_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(parent));
    Proc* child = TRY(forkproc(parent, std::move(slot))).release();

    fp_sync();
    const uint64_t thread_pointer = cpu::user_thread_pointer();
    {
        SpinGuard guard(parent.signals.lock);
        begin_locked(parent);
        const SignalSet pending = uthread.pending;
        uthread.loan.emplace(*child, ThreadLoan::Saved{frame, thread_pointer, uthread.mask, pending, uthread.fault, std::move(uthread.assumed),
                                                       std::move(uthread.directory), thread.uses_fp, thread.fp});
        uthread.pending = 0;
        child->lent_thread = &thread;
        tell_again_locked(parent);
    }
    publish(parent, *child);
    frame.x[1] = 1;
    frame.x[0] = 0;
    return {};
}

void vfork_return(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Thread& thread = uthread.thread;
    Proc& parent = *uthread.proc;
    Proc& child = uthread.loan->child();
    const Pid pid = child.pid;
    {
        SpinGuard guard(child.signals.lock);
        child.lent_thread = nullptr;
        hand_pending_to_locked(child, uthread);
    }
    if (uthread.loan->saved().uses_fp) {
        fp_replace(uthread.loan->saved().fp);
    } else {
        fp_discard();
    }
    // From the child's they become the parent's in one exchange; the child's are dropped when the lock is free.
    ThreadLoan::Saved other = std::move(*uthread.loan).give_back();
    {
        SpinGuard guard(parent.signals.lock);
        uthread.loan.reset();
        std::swap(uthread.mask, other.mask);
        std::swap(uthread.pending, other.pending);
        std::swap(uthread.fault, other.fault);
        std::swap(uthread.assumed, other.assumed);
        std::swap(uthread.directory, other.directory);
        uthread.mask_before_suspend.reset();
        uthread.restarts_call = false;
        end_locked(parent);
        thread.ask(ReturnWork::Signal);
        if (parent.signals.stopped) {
            thread.ask(ReturnWork::Stop);
        }
    }
    cpu::set_user_thread_pointer(other.thread_pointer);
    other.frame.x[0] = static_cast<uint64_t>(number(pid));
    other.frame.x[1] = 0;
    frame = other.frame;
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
