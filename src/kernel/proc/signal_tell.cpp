// Finding somebody to take a signal. Lock: Proc::signals.lock; the task's lock, inside it, for the list of threads.
#include "kernel/proc/signal_tell.h"

#include "kernel/sched.h"

namespace {

void ask(Thread& thread, ReturnWork work) {
    thread.ask(work);
    thread_poke(thread);
}

void tell(Thread& thread, int signal) {
    if (signal == FL_SIGKILL) {
        thread.ask(ReturnWork::Kill);
    }
    ask(thread, ReturnWork::Signal);
}

}  // namespace

bool signal_ignored_locked(Proc& proc, int signal) {
    uint64_t handler = proc.signals.actions->actions[signal].handler;
    return handler == FL_SIG_IGN || (handler == FL_SIG_DFL && signal_default(signal) == SignalDefault::Ignore);
}

void tell_a_thread_locked(Proc& proc, int signal) {
    if (proc.lent_thread != nullptr) {
        tell(*proc.lent_thread, signal);
        return;
    }
    Task* task = proc.task.get();
    if (task == nullptr) {
        return;
    }
    const bool everybody = (unblockable_signals & signal_bit(signal)) != 0 || signal == FL_SIGCONT;
    // Who signals its own process takes the signal itself, if it may: it is on its way out, nobody needs to be disturbed.
    Thread& self = *cpu::current_thread();
    if (self.task == task && !everybody && !self.uthread->loan && (self.uthread->mask & signal_bit(signal)) == 0) {
        self.ask(ReturnWork::Signal);
        return;
    }
    SpinGuard guard(task->lock);
    for (Thread& thread : task->threads) {
        const UThread& uthread = *thread.uthread;
        if (uthread.loan && signal != FL_SIGKILL) {
            continue;
        }
        if (everybody) {
            tell(thread, signal);
        } else if ((uthread.mask & signal_bit(signal)) == 0) {
            tell(thread, signal);
            return;
        }
    }
}

void tell_again_locked(Proc& proc) {
    for (SignalSet left = proc.signals.pending; left != 0; left &= left - 1) {
        tell_a_thread_locked(proc, __builtin_ctz(left));
    }
}

ForkloreSiginfo take_pending_locked(Proc& proc, UThread& uthread, int signal) {
    const SignalSet bit = signal_bit(signal);
    if ((uthread.pending & bit) == 0) {
        proc.signals.pending &= ~bit;
        return proc.signals.info[signal];
    }
    uthread.pending &= ~bit;
    ForkloreSiginfo info = uthread.fault;
    info.signal = signal;
    return info;
}

void hand_pending_to_locked(Proc& proc, UThread& uthread) {
    for (SignalSet left = std::exchange(uthread.pending, 0); left != 0; left &= left - 1) {
        const int signal = __builtin_ctz(left);
        if (signal_ignored_locked(proc, signal)) {
            continue;
        }
        if ((proc.signals.pending & signal_bit(signal)) == 0) {
            proc.signals.info[signal] = uthread.fault;
            proc.signals.info[signal].signal = signal;
        }
        proc.signals.pending |= signal_bit(signal);
    }
}

void ask_all_threads_locked(Proc& proc, ReturnWork work) {
    if (proc.lent_thread != nullptr) {
        ask(*proc.lent_thread, work);
    }
    if (Task* task = proc.task.get()) {
        SpinGuard guard(task->lock);
        for (Thread& thread : task->threads) {
            if (!thread.uthread->loan) {
                ask(thread, work);
            }
        }
    }
}
