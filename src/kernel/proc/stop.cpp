// Job control. Locks: families_lock for the state, signals.lock inside it for `stopped` and the sleepers.
#include "kernel/proc/stop.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/signal_tell.h"

namespace {

bool parent_wants_stops(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    return parent.signals.actions && (parent.signals.actions->actions[FL_SIGCHLD].flags & FL_SA_NOCLDSTOP) == 0;
}

void tell_parent_locked(Proc& proc, int wait_status) REQUIRES(families_lock) {
    Proc& parent = *proc.parent;
    if (parent_wants_stops(parent)) {
        signal_process(parent, siginfo_of_child(proc.pid, wait_status));
    }
    wake_all(parent.children_changed);
}

bool stop_over(Proc& proc) {
    SpinGuard guard(proc.signals.lock);
    return !proc.signals.stopped;
}

// A process that was continued runs again; its parent hears of it once, from whoever comes first.
void note_continue_locked(Proc& proc) REQUIRES(families_lock) {
    if (proc.state == ProcState::Stopped && stop_over(proc)) {
        proc_transition(proc, ProcState::Running);
        proc.stop_unreported = false;
        proc.continue_unreported = true;
        tell_parent_locked(proc, status_of_continue);
    }
}

}  // namespace

bool begin_stop(Proc& proc, int signal) {
    SpinGuard guard(families_lock);
    note_continue_locked(proc);
    const bool may_stop = proc.state == ProcState::Running && (signal == FL_SIGSTOP || !group_orphaned_locked(*proc.group, nullptr));
    {
        SpinGuard signals_guard(proc.signals.lock);
        // Only here does it leave its set: a continue that came before took it back, whoever of the threads has seen that.
        const bool still_there = (proc.signals.pending & signal_bit(signal)) != 0;
        proc.signals.pending &= ~signal_bit(signal);
        if (!still_there || !may_stop || proc.exiting || (proc.signals.pending & signal_bit(FL_SIGKILL)) != 0) {
            return false;
        }
        proc.signals.stopped = true;
        ask_all_threads_locked(proc, ReturnWork::Stop);
    }
    proc_transition(proc, ProcState::Stopped);
    proc.wait_status = status_of_stop(signal);
    proc.stop_unreported = true;
    proc.continue_unreported = false;
    tell_parent_locked(proc, proc.wait_status);
    return true;
}

void sleep_while_stopped(Proc& proc) {
    Thread& thread = *cpu::current_thread();
    {
        SpinGuard guard(proc.signals.lock);
        while (proc.signals.stopped && !thread.asked(ReturnWork::Terminate) && !thread.asked(ReturnWork::Kill)) {
            thread.done(ReturnWork::Stop);
            thread.done(ReturnWork::Signal);    // whoever makes one pending asks again, under this lock
            park(proc.signals.resumed, proc.signals.lock, {.interruptible = true});
        }
        thread.done(ReturnWork::Stop);
        thread.ask(ReturnWork::Signal);
    }
    SpinGuard guard(families_lock);
    note_continue_locked(proc);
}
