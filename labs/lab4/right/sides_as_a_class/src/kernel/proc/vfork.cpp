// One class knows both sides of a loan; the child begins to exit only when the thread has left it.
#include "kernel/proc/vfork.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"

namespace {

class Sides {
public:
    Sides(UThread& uthread, Proc& child) : uthread_(uthread), thread_(uthread.thread), parent_(*uthread.proc), child_(child) {}

    void to_the_child(const UserFrame& frame) {
        fp_sync();
        ThreadLoan::Saved saved{};
        saved.frame = frame;
        saved.thread_pointer = cpu::user_thread_pointer();
        saved.uses_fp = thread_.uses_fp;
        if (saved.uses_fp) {
            saved.fp = thread_.fp;
        }
        saved.fault = uthread_.fault;
        std::swap(saved.assumed, uthread_.assumed);
        std::swap(saved.directory, uthread_.directory);
        proc_vfork_begin(parent_);
        SpinGuard guard(parent_.signals.lock);
        saved.mask = uthread_.mask;
        std::swap(saved.pending, uthread_.pending);
        child_.lent_thread = &thread_;
        uthread_.loan.emplace(child_, std::move(saved));
        tell_again_locked(parent_);
    }

    // The registers that the parent's thread goes on with.
    UserFrame to_the_parent() {
        leave();
        // Dropped when no lock is held.
        Ref<Credentials> identity = std::move(uthread_.assumed);
        Ref<Vnode> directory = std::move(uthread_.directory);
        UserFrame frame = enter();
        proc_vfork_end(parent_);
        thread_.ask(ReturnWork::Signal);
        return frame;
    }

private:
    void leave() {
        SpinGuard guard(child_.signals.lock);
        hand_pending_to_locked(child_, uthread_);
        if (child_.lent_thread == &thread_) {
            child_.lent_thread = nullptr;
        }
    }

    UserFrame enter() {
        SpinGuard guard(parent_.signals.lock);
        ThreadLoan::Saved saved = std::move(*uthread_.loan).give_back();
        uthread_.loan.reset();
        uthread_.mask = saved.mask;
        uthread_.mask_before_suspend.reset();
        uthread_.restarts_call = false;
        uthread_.pending |= saved.pending;
        uthread_.fault = saved.fault;
        uthread_.assumed = std::move(saved.assumed);
        uthread_.directory = std::move(saved.directory);
        if (saved.uses_fp) {
            fp_replace(saved.fp);
        } else if (thread_.uses_fp) {
            fp_discard();
        }
        cpu::set_user_thread_pointer(saved.thread_pointer);
        if (parent_.signals.stopped) {
            thread_.ask(ReturnWork::Stop);
        }
        return saved.frame;
    }

    UThread& uthread_;
    Thread& thread_;
    Proc& parent_;
    Proc& child_;
};

void answer(UserFrame& frame, uint64_t result, uint64_t is_child) {
    frame.x[0] = result;
    frame.x[1] = is_child;
}

}  // namespace

void proc_vfork_begin(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    parent.loans++;
}

void proc_vfork_end(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    if (parent.loans-- == 0) {
        panic("proc_vfork_end: no loan");
    }
}

Result<> vfork(UserFrame& frame) {
    UThread& uthread = current_uthread();
    if (uthread.loan) {
        return Error::Invalid;
    }
    Proc& parent = current_proc();
    TRY(fork_policy_check(parent));
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    ZoneOwned<Proc> owned = TRY(forkproc(parent, std::move(slot)));
    Proc& child = *owned.release();
    Sides(uthread, child).to_the_child(frame);
    answer(frame, 0, 1);
    publish(parent, child);
    return {};
}

void vfork_return(UserFrame& frame) {
    UThread& uthread = current_uthread();
    Proc& child = current_proc();
    const auto pid = static_cast<uint64_t>(number(child.pid));
    frame = Sides(uthread, child).to_the_parent();
    answer(frame, pid, 0);
}

void vfork_exit(UserFrame& frame, int wait_status) {
    Proc& child = current_proc();
    vfork_return(frame);
    begin_exit(child);
    become_zombie(child, wait_status);
}

Result<uint64_t> sys_vfork(UserFrame& frame) {
    TRY(vfork(frame));
    return frame.x[0];
}
