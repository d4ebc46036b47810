// Taking signals on the way back to the program: the default actions, and the frame of a handler.
//
//   user stack before:  | ... program ... |  <- sp
//   in the handler:     | ... program ... | (red zone is none on AArch64) | ForkloreSignalFrame |  <- sp, 16-byte aligned
//
// sigreturn reads the frame back; only registers that a program may choose are taken from it.
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/proc/stop.h"
#include "kernel/proc/vfork.h"
#include "kernel/sched.h"
#include "mm/user_copy.h"

namespace {

struct Taken {
    int signal = 0;                 // 0: none is deliverable
    ForkloreSiginfo info{};
    ForkloreSigaction action{};
    SignalSet mask_to_restore = 0;  // for the handler's frame
};

// The lowest signal that is pending and not blocked leaves its set; the mask becomes the handler's. A sigsuspend that ended
// without a handler gets its mask back, which may make more deliverable.
Taken take_one(UThread& uthread, Proc& proc) {
    SpinGuard guard(proc.signals.lock);
    SignalSet deliverable = (uthread.pending | proc.signals.pending) & ~uthread.mask;
    if (deliverable == 0 && uthread.mask_before_suspend) {
        uthread.mask = *std::exchange(uthread.mask_before_suspend, std::nullopt);
        deliverable = (uthread.pending | proc.signals.pending) & ~uthread.mask;
    }
    if (deliverable == 0) {
        uthread.thread.done(ReturnWork::Signal);
        return {};
    }
    Taken taken;
    taken.signal = (deliverable & signal_bit(FL_SIGKILL)) != 0 ? FL_SIGKILL : __builtin_ctz(deliverable);
    SignalSet bit = signal_bit(taken.signal);
    if ((uthread.pending & bit) != 0) {
        uthread.pending &= ~bit;
        taken.info = uthread.fault;
        taken.info.signal = taken.signal;
    } else {
        proc.signals.pending &= ~bit;
        taken.info = proc.signals.info[taken.signal];
    }
    const SignalSet mask_before = uthread.mask;
    ForkloreSigaction& action = proc.signals.actions->actions[taken.signal];
    taken.action = action;
    taken.mask_to_restore = uthread.mask_before_suspend.value_or(uthread.mask);
    if (action.handler > FL_SIG_IGN) {
        uthread.mask |= action.mask & ~unblockable_signals;
        if ((action.flags & FL_SA_NODEFER) == 0) {
            uthread.mask |= bit;
        }
        uthread.mask_before_suspend.reset();
        if ((action.flags & static_cast<uint32_t>(FL_SA_RESETHAND)) != 0) {
            action = {};
        }
    }
    if ((proc.signals.pending & uthread.mask & ~mask_before) != 0) {
        tell_again_locked(proc);
    }
    return taken;
}

// The signal ends whatever the thread runs as: the child on loan, or the process.
void terminate_by(UserFrame& frame, int signal) {
    if (current_uthread().loan) {
        vfork_exit(frame, status_of_signal(signal));
        return;
    }
    exit1(status_of_signal(signal));
}

Result<> push_frame(UserFrame& frame, const Taken& taken) {
    Thread& thread = *cpu::current_thread();
    fp_sync();
    ForkloreSignalFrame pushed{};
    for (unsigned i = 0; i < 31; ++i) {
        pushed.x[i] = frame.x[i];
    }
    pushed.sp = frame.sp;
    pushed.pc = frame.pc;
    pushed.pstate = frame.pstate;
    pushed.info = taken.info;
    pushed.mask = taken.mask_to_restore;
    pushed.has_fp = thread.uses_fp;
    size_t bytes = offsetof(ForkloreSignalFrame, q);
    if (thread.uses_fp) {
        pushed.fpsr = thread.fp.fpsr;
        pushed.fpcr = thread.fp.fpcr;
        memcpy(pushed.q, thread.fp.q, sizeof pushed.q);
        bytes = sizeof pushed;
    }
    UserAddr at((frame.sp - sizeof pushed) & ~uint64_t{15});
    TRY(copy_out(at, &pushed, bytes));
    frame.sp = at.value;
    frame.pc = taken.action.handler;
    frame.x[0] = static_cast<uint64_t>(taken.signal);
    frame.x[1] = at.value + offsetof(ForkloreSignalFrame, info);
    frame.x[2] = at.value;
    frame.x[30] = taken.action.restorer;
    frame.x[29] = 0;
    return {};
}

void act(UserFrame& frame, const Taken& taken) {
    if (taken.action.handler == FL_SIG_IGN) {
        return;
    }
    if (taken.action.handler != FL_SIG_DFL) {
        // A call that would be made again is not, if the handler did not ask for it.
        if (std::exchange(current_uthread().restarts_call, false) && (taken.action.flags & FL_SA_RESTART) == 0) {
            frame.pc += 4;
            frame.x[0] = static_cast<uint64_t>(-static_cast<int64_t>(Error::Interrupted));
        }
        if (!push_frame(frame, taken).ok()) {
            terminate_by(frame, FL_SIGSEGV);    // no room on the stack for a handler
        }
        return;
    }
    switch (signal_default(taken.signal)) {
    case SignalDefault::Terminate:
        terminate_by(frame, taken.signal);
        break;
    case SignalDefault::Stop:
        if (begin_stop(current_proc(), taken.signal)) {
            sleep_while_stopped(current_proc());
        }
        break;
    case SignalDefault::Ignore:
    case SignalDefault::Continue:
        break;
    }
}

}  // namespace

void deliver_signals(UserFrame& frame) {
    UThread& uthread = current_uthread();
    for (;;) {
        // Whether the child on loan or its lender is killed, the child goes first.
        if (uthread.thread.asked(ReturnWork::Kill)) {
            uthread.thread.done(ReturnWork::Kill);
            if (uthread.loan) {
                vfork_exit(frame, status_of_signal(FL_SIGKILL));
            }
        }
        Taken taken = take_one(uthread, current_proc());
        if (taken.signal == 0) {
            return;
        }
        act(frame, taken);
    }
}

Result<uint64_t> sys_sigreturn(UserFrame& frame) {
    Thread& thread = *cpu::current_thread();
    UserAddr at(frame.sp);
    ForkloreSignalFrame saved;
    if (!copy_in(&saved, at, offsetof(ForkloreSignalFrame, q)).ok() ||
        (saved.has_fp != 0 && !copy_in(saved.q, at + offsetof(ForkloreSignalFrame, q), sizeof saved.q).ok())) {
        terminate_by(frame, FL_SIGSEGV);
        return frame.x[0];
    }
    for (unsigned i = 0; i < 31; ++i) {
        frame.x[i] = saved.x[i];
    }
    frame.sp = saved.sp;
    frame.pc = saved.pc;
    frame.pstate = user_pstate | (saved.pstate & user_pstate_mask);
    if (saved.has_fp != 0) {
        FpState fp{.fpsr = saved.fpsr, .fpcr = saved.fpcr};
        memcpy(fp.q, saved.q, sizeof saved.q);
        fp_replace(fp);
    }
    Proc& proc = current_proc();
    SpinGuard guard(proc.signals.lock);
    current_uthread().mask = saved.mask & ~unblockable_signals;
    thread.ask(ReturnWork::Signal);
    return frame.x[0];
}
