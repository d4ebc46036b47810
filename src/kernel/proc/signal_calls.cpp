// The system calls about signals: kill, sigaction, masks.
#include "kernel/fs/upward.h"
#include "kernel/proc/audit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"
#include "mm/user_copy.h"

namespace {

// POSIX: root may signal everybody; others those whose real or saved user is their real or effective one.
bool may_signal(const Credentials& sender, Proc& target, int signal) REQUIRES(families_lock) {
    if (sender.is_root()) {
        return true;
    }
    Proc& self = current_proc();
    if (signal == FL_SIGCONT && target.group != nullptr && self.group != nullptr &&
        target.group->session.get() == self.group->session.get()) {
        return true;
    }
    SpinGuard guard(target.lock);
    const Credentials& whom = *target.credentials;
    return sender.real_uid == whom.real_uid || sender.real_uid == whom.saved_uid ||
           sender.effective_uid == whom.real_uid || sender.effective_uid == whom.saved_uid;
}

// Signals what may be signalled of a set of processes; says what POSIX wants if there were none.
class Sender {
public:
    Sender(const Credentials& sender, int signal) : sender_(sender), signal_(signal) {}

    void send(Proc& target) REQUIRES(families_lock) {
        ++seen_;
        if (!may_signal(sender_, target, signal_)) {
            return;
        }
        ++allowed_;
        if (signal_ != 0 && target.state != ProcState::Zombie && !spares(target)) {
            audit::event(FL_AUDIT_KILL, current_proc(), number(target.pid), signal_);
            signal_process(target, {.signal = signal_, .code = 0, .pid = number(current_proc().pid), .status = 0,
                                    .uid = sender_.real_uid});
        }
    }
    Result<uint64_t> verdict() const {
        if (seen_ == 0) {
            return Error::NoProcess;
        }
        if (allowed_ == 0) {
            return Error::NotPermitted;
        }
        return 0;
    }

private:
    // Init, without which there are no processes, gets only signals that it catches.
    bool spares(Proc& target) const {
        SpinGuard guard(target.signals.lock);
        return target.pid == Pid::Init && target.signals.actions->actions[signal_].handler <= FL_SIG_IGN;
    }

    const Credentials& sender_;
    int signal_;
    unsigned seen_ = 0;
    unsigned allowed_ = 0;
};

}  // namespace

Result<uint64_t> sys_kill(UserFrame& frame) {
    auto pid = static_cast<int32_t>(frame.x[0]);
    auto signal = static_cast<int32_t>(frame.x[1]);
    if (signal < 0 || signal >= FORKLORE_NSIG) {
        return Error::Invalid;
    }
    Ref<Credentials> credentials = current_credentials();
    Proc& self = current_proc();
    Sender sender(*credentials, signal);
    SpinGuard guard(families_lock);
    if (pid > 0) {
        if (Proc* target = find_process_locked(static_cast<Pid>(pid))) {
            sender.send(*target);
        }
    } else if (pid == -1) {
        for (Proc& target : all_processes()) {
            if (target.pid != Pid::Init && &target != &self) {
                sender.send(target);
            }
        }
    } else if (ProcessGroup* group = pid == 0 ? self.group : find_group_locked(group_of_argument(pid))) {
        for (Proc& target : group->members) {
            sender.send(target);
        }
    }
    return sender.verdict();
}

Result<uint64_t> sys_sigaction(UserFrame& frame) {
    auto signal = static_cast<int32_t>(frame.x[0]);
    UserAddr wanted(frame.x[1]);
    UserAddr old(frame.x[2]);
    if (!signal_valid(signal)) {
        return Error::Invalid;
    }
    ForkloreSigaction action{};
    if (!wanted.null()) {
        action = TRY(copy_in_value<ForkloreSigaction>(wanted));
        if ((unblockable_signals & signal_bit(signal)) != 0) {
            return Error::Invalid;
        }
    }
    Proc& proc = current_proc();
    ForkloreSigaction before;
    {
        SpinGuard guard(proc.signals.lock);
        before = proc.signals.actions->actions[signal];
    }
    if (!old.null()) {
        TRY(copy_out_value(old, before));
    }
    if (!wanted.null()) {
        SpinGuard guard(proc.signals.lock);
        proc.signals.actions->actions[signal] = action;
        bool ignores = action.handler == FL_SIG_IGN ||
                       (action.handler == FL_SIG_DFL && signal_default(signal) == SignalDefault::Ignore);
        if (ignores) {      // POSIX: what is pending and now ignored is forgotten
            proc.signals.pending &= ~signal_bit(signal);
            current_uthread().pending &= ~signal_bit(signal);
        }
    }
    return 0;
}

Result<uint64_t> sys_sigprocmask(UserFrame& frame) {
    auto how = static_cast<int32_t>(frame.x[0]);
    UserAddr wanted(frame.x[1]);
    UserAddr old(frame.x[2]);
    SignalSet set = 0;
    if (!wanted.null()) {
        set = TRY(copy_in_value<SignalSet>(wanted)) & ~unblockable_signals & ~SignalSet{1};
        if (how != FL_SIG_SETMASK && how != FL_SIG_BLOCK && how != FL_SIG_UNBLOCK) {
            return Error::Invalid;
        }
    }
    UThread& uthread = current_uthread();
    if (!old.null()) {
        TRY(copy_out_value(old, uthread.mask));
    }
    if (!wanted.null()) {
        Proc& proc = current_proc();
        SpinGuard guard(proc.signals.lock);
        const SignalSet before = uthread.mask;
        uthread.mask = how == FL_SIG_SETMASK ? set : how == FL_SIG_BLOCK ? before | set : before & ~set;
        uthread.thread.ask(ReturnWork::Signal);
        if ((proc.signals.pending & uthread.mask & ~before) != 0) {
            tell_again_locked(proc);        // another thread may take what this one was told of and blocks now
        }
    }
    return 0;
}

Result<uint64_t> sys_sigpending(UserFrame& frame) {
    Proc& proc = current_proc();
    UThread& uthread = current_uthread();
    SignalSet set = 0;
    {
        SpinGuard guard(proc.signals.lock);
        set = (proc.signals.pending | uthread.pending) & uthread.mask;
    }
    TRY(copy_out_value(UserAddr(frame.x[0]), set));
    return 0;
}
