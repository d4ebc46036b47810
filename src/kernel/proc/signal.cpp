// Making signals pending. Lock: Proc::signals.lock for pending sets and masks.
#include "kernel/proc/signal.h"

#include "kernel/fs/upward.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/signal_tell.h"

Zone& SignalActions::zone() {
    static Zone& zone = zone_create({.name = "sigacts", .element_size = sizeof(SignalActions)}).value();
    return zone;
}

SignalDefault signal_default(int signal) {
    switch (signal) {
    case FL_SIGCHLD:
    case FL_SIGURG:
    case FL_SIGIO:
    case FL_SIGWINCH:
        return SignalDefault::Ignore;
    case FL_SIGSTOP:
    case FL_SIGTSTP:
    case FL_SIGTTIN:
    case FL_SIGTTOU:
        return SignalDefault::Stop;
    case FL_SIGCONT:
        return SignalDefault::Continue;
    default:
        return SignalDefault::Terminate;
    }
}

namespace {

// A stop and a continue cancel each other; a continue has its main effect at once, also when it is blocked or ignored.
void cancel_opposite_locked(Proc& proc, int signal) REQUIRES(proc.signals.lock) {
    if (signal_bit(signal) & stop_signals) {
        proc.signals.pending &= ~signal_bit(FL_SIGCONT);
    } else if (signal == FL_SIGCONT) {
        proc.signals.pending &= ~stop_signals;
        proc.signals.stopped = false;
        wake_all(proc.signals.resumed);
    }
}

}  // namespace

void signal_process(Proc& proc, const ForkloreSiginfo& info) {
    int signal = info.signal;
    SpinGuard guard(proc.signals.lock);
    if (proc.exiting || !proc.signals.actions) {
        return;
    }
    cancel_opposite_locked(proc, signal);
    if (signal_ignored_locked(proc, signal) && signal != FL_SIGCONT) {
        return;
    }
    ++proc.stats->signals;
    proc.signals.pending |= signal_bit(signal);
    proc.signals.info[signal] = info;
    tell_a_thread_locked(proc, signal);
}

void signal_fault(int signal, int code, UserAddr address) {
    UThread& uthread = current_uthread();
    Proc& proc = current_proc();
    SpinGuard guard(proc.signals.lock);
    uthread.fault = {.signal = signal, .code = code, .pid = 0, .status = 0, .uid = 0, .reserved = 0, .address = address.value};
    uthread.pending |= signal_bit(signal);
    // A fault that is blocked or ignored would come again for ever: the default takes it.
    ForkloreSigaction& action = proc.signals.actions->actions[signal];
    if ((uthread.mask & signal_bit(signal)) != 0 || action.handler == FL_SIG_IGN) {
        action.handler = FL_SIG_DFL;
        uthread.mask &= ~signal_bit(signal);
    }
    uthread.thread.ask(ReturnWork::Signal);
}

void signal_current(int signal) {
    if (cpu::current_thread()->uthread == nullptr) {
        return;     // a kernel thread
    }
    Proc& proc = current_proc();
    signal_process(proc, {.signal = signal, .code = 0, .pid = number(proc.pid)});
}

void signal_foreground_group(Pid session, Pid group, int signal) {
    SpinGuard guard(families_lock);
    signal_foreground_group_locked(session, group, signal);
}

void signal_foreground_group_locked(Pid session, Pid group_id, int signal) {
    ProcessGroup* group = find_group_locked(group_id);
    if (group != nullptr && group->session->id == session) {
        signal_group_locked(*group, {.signal = signal});
    }
}

JobIdentity current_job() {
    if (cpu::current_thread()->uthread == nullptr) {
        return {};
    }
    Proc& proc = current_proc();
    const bool is_root = current_credentials()->is_root();
    SpinGuard guard(families_lock);
    return {proc.pid, proc.group->id, proc.group->session->id, proc.has_terminal, is_root};
}

BackgroundVerdict signal_background_group(int signal) {
    UThread& uthread = current_uthread();
    Proc& proc = current_proc();
    {
        SpinGuard guard(proc.signals.lock);
        if (signal_ignored_locked(proc, signal) || (uthread.mask & signal_bit(signal)) != 0) {
            return BackgroundVerdict::Ignored;
        }
    }
    SpinGuard guard(families_lock);
    if (group_orphaned_locked(*proc.group, nullptr)) {
        return BackgroundVerdict::Orphaned;
    }
    signal_group_locked(*proc.group, {.signal = signal});
    return BackgroundVerdict::Sent;
}

Pid session_of_group(Pid group_id) {
    SpinGuard guard(families_lock);
    ProcessGroup* group = find_group_locked(group_id);
    return group != nullptr ? group->session->id : Pid::None;
}

void signal_actions_for_exec(Proc& proc) {
    SpinGuard guard(proc.signals.lock);
    for (ForkloreSigaction& action : proc.signals.actions->actions) {
        if (action.handler > FL_SIG_IGN) {
            action = {};
        }
    }
}
