// What the loan keeps is gathered as a value before there is a child; the commit moves it in.
#include "kernel/proc/vfork.h"

#include <utility>

#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"

namespace {

// A copy: the thread keeps what it has until nothing can fail any more.
ThreadLoan::Saved snapshot(const UThread& uthread, const UserFrame& frame) {
    fp_sync();
    return {.frame = frame,
            .thread_pointer = cpu::user_thread_pointer(),
            .mask = uthread.mask,
            .pending = 0,
            .fault = uthread.fault,
            .assumed = uthread.assumed,
            .directory = uthread.directory,
            .uses_fp = uthread.thread.uses_fp,
            .fp = uthread.thread.fp};
}

void start_loan(UThread& uthread, Proc& parent, Proc& child, ThreadLoan::Saved saved) {
    uthread.assumed.reset();
    uthread.directory.reset();
    {
        SpinGuard guard(child.signals.lock);
        child.lent_thread = &uthread.thread;
    }
    SpinGuard guard(parent.signals.lock);
    saved.pending = std::exchange(uthread.pending, 0);
    uthread.loan.emplace(child, std::move(saved));
    ++parent.loans;
    tell_again_locked(parent);
}

void drop_what_the_child_took(UThread& uthread) {
    uthread.assumed.reset();
    uthread.directory.reset();
    uthread.mask_before_suspend = std::nullopt;
    uthread.restarts_call = false;
}

void set_registers(UserFrame& frame, const ThreadLoan::Saved& saved, Pid child) {
    frame = saved.frame;
    frame.x[0] = static_cast<uint64_t>(number(child));
    frame.x[1] = 0;
    cpu::set_user_thread_pointer(saved.thread_pointer);
    if (saved.uses_fp) {
        fp_replace(saved.fp);
    } else if (current_uthread().thread.uses_fp) {
        fp_discard();
    }
}

}  // namespace

void proc_vfork_begin(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    parent.loans += 1;
}

void proc_vfork_end(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    ASSERT(parent.loans > 0);
    parent.loans -= 1;
}

Result<> vfork(UserFrame& frame) {
    UThread& uthread = current_uthread();
    if (uthread.loan.has_value()) {
        return Error::Invalid;
    }
    Proc& parent = *uthread.proc;
    ThreadLoan::Saved saved = snapshot(uthread, frame);
    TRY(fork_policy_check(parent));
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    Proc& child = *TRY(forkproc(parent, std::move(slot))).release();
    start_loan(uthread, parent, child, std::move(saved));
    frame.x[0] = 0;
    frame.x[1] = 1;
    publish(parent, child);
    return {};
}

void vfork_return(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Proc& parent = *uthread.proc;
    Proc& child = uthread.loan->child();
    set_registers(frame, uthread.loan->saved(), child.pid);
    drop_what_the_child_took(uthread);
    {
        SpinGuard guard(child.signals.lock);
        hand_pending_to_locked(child, uthread);
        child.lent_thread = nullptr;
    }
    proc_vfork_end(parent);
    SpinGuard guard(parent.signals.lock);
    ThreadLoan::Saved&& saved = std::move(*uthread.loan).give_back();
    uthread.assumed = std::move(saved.assumed);
    uthread.directory = std::move(saved.directory);
    uthread.mask = saved.mask;
    uthread.pending = saved.pending;
    uthread.fault = saved.fault;
    uthread.loan = std::nullopt;
    if (parent.signals.stopped) {
        uthread.thread.ask(ReturnWork::Stop);
    }
    uthread.thread.ask(ReturnWork::Signal);
}

void vfork_exit(UserFrame& frame, int wait_status) {
    Proc& child = current_uthread().loan->child();
    begin_exit(child);
    vfork_return(frame);
    become_zombie(child, wait_status);
}

Result<uint64_t> sys_vfork(UserFrame& frame) {
    TRY(vfork(frame));
    return 0;
}
