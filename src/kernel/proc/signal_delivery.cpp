// Taking signals on the way back to the program: the default actions, and the frame of a handler.
//
//   user stack before:  | ... program ... |  <- sp
//   in the handler:     | ... program ... | (red zone is none on AArch64) | ForkloreSignalFrame |  <- sp, 16-byte aligned
//
// sigreturn reads the frame back; only registers that a program may choose are taken from it. The frame has room for the
// floating-point registers too: the program's own code around the handler keeps them there (the original's sa_tramp), which
// needs no copy in the kernel.
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/signal_stack.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/proc/stop.h"
#include "kernel/proc/vfork.h"
#include "kernel/sched.h"
#include "mm/user_copy.h"

namespace {

// A signal that left its set, and what is to be done about it.
struct Taken {
    int signal = 0;
    ForkloreSiginfo info{};
    ForkloreSigaction action{};
    SignalSet mask_to_restore = 0;      // for the handler's frame
};

// What ForkloreSignalFrame has behind the registers, before those of floating point.
struct FrameMiddle {
    uint64_t pstate;
    ForkloreSiginfo info;
    uint32_t mask, has_fp;
};
static_assert(offsetof(ForkloreSignalFrame, pc) == offsetof(UserFrame, pc));
static_assert(offsetof(ForkloreSignalFrame, pstate) == offsetof(UserFrame, pstate));
static_assert(offsetof(ForkloreSignalFrame, info) == offsetof(UserFrame, pstate) + offsetof(FrameMiddle, info));
static_assert(offsetof(ForkloreSignalFrame, has_fp) == offsetof(UserFrame, pstate) + offsetof(FrameMiddle, has_fp));

SignalSet deliverable_locked(const UThread& uthread, const Proc& proc) REQUIRES(proc.signals.lock) {
    return (uthread.pending | proc.signals.pending) & ~uthread.mask;
}

// The lowest signal that is pending and not blocked leaves its set, but for one that stops (begin_stop takes it); the mask becomes the handler's. A sigsuspend that ended
// without a handler gets its mask back, which may make more deliverable. False if there is none. ReturnWork::Signal is done
// when nothing is left to look at.
bool take_one(UThread& uthread, Proc& proc, Taken& taken) {
    SpinGuard guard(proc.signals.lock);
    SignalSet deliverable = deliverable_locked(uthread, proc);
    if (deliverable == 0 && uthread.mask_before_suspend) {
        uthread.mask = *std::exchange(uthread.mask_before_suspend, std::nullopt);
        deliverable = deliverable_locked(uthread, proc);
    }
    if (deliverable == 0) {
        uthread.thread.done(ReturnWork::Signal);
        return false;
    }
    taken.signal = (deliverable & signal_bit(FL_SIGKILL)) != 0 ? FL_SIGKILL : __builtin_ctz(deliverable);
    SignalSet bit = signal_bit(taken.signal);
    const SignalSet mask_before = uthread.mask;
    ForkloreSigaction& action = proc.signals.actions->actions[taken.signal];
    if (action.handler != FL_SIG_DFL || signal_default(taken.signal) != SignalDefault::Stop) {
        taken.info = take_pending_locked(proc, uthread, taken.signal);
    }
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
    if (deliverable_locked(uthread, proc) == 0 && !uthread.mask_before_suspend) {
        uthread.thread.done(ReturnWork::Signal);
    }
    return true;
}

// The signal ends whatever the thread runs as: the child on loan, or the process.
void terminate_by(UserFrame& frame, int signal) {
    if (current_uthread().loan) {
        vfork_exit(frame, status_of_signal(signal));
        return;
    }
    exit1(status_of_signal(signal));
}

// Each part goes to the program's stack from where it is.
Result<> push_frame(UserFrame& frame, const Taken& taken) {
    const uint64_t top = handler_stack(current_uthread(), frame.sp, taken.action.flags);
    const UserAddr at((top - sizeof(ForkloreSignalFrame)) & ~uint64_t{15});
    const FrameMiddle middle{.pstate = frame.pstate, .info = taken.info, .mask = taken.mask_to_restore, .has_fp = 0};
    TRY(copy_out(at, &frame, offsetof(UserFrame, pstate)));
    TRY(copy_out(at + offsetof(ForkloreSignalFrame, pstate), &middle, sizeof middle));
    frame.sp = at.value;
    frame.pc = taken.action.restorer;
    frame.x[0] = static_cast<uint64_t>(taken.signal);
    frame.x[1] = at.value + offsetof(ForkloreSignalFrame, info);
    frame.x[2] = at.value;
    frame.x[3] = taken.action.handler;
    frame.x[29] = frame.x[30] = 0;
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
    do {
        // Whether the child on loan or its lender is killed, the child goes first.
        if (uthread.thread.asked(ReturnWork::Kill)) {
            uthread.thread.done(ReturnWork::Kill);
            if (uthread.loan) {
                vfork_exit(frame, status_of_signal(FL_SIGKILL));
            }
        }
        Taken taken;
        if (!take_one(uthread, current_proc(), taken)) {
            return;
        }
        act(frame, taken);
    } while (uthread.thread.asked(ReturnWork::Signal) || uthread.thread.asked(ReturnWork::Kill));
}

namespace {

// The registers up to `pc` may have any value and go where they belong; `pstate` may not.
Result<FrameMiddle> pop_frame(UserFrame& frame) {
    const UserAddr at(frame.sp);
    const auto middle = TRY(copy_in_value<FrameMiddle>(at + offsetof(ForkloreSignalFrame, pstate)));
    TRY(copy_in(&frame, at, offsetof(UserFrame, pstate)));
    frame.pstate = user_pstate | (middle.pstate & user_pstate_mask);
    return middle;
}

}  // namespace

Result<uint64_t> sys_sigreturn(UserFrame& frame) {
    Result<FrameMiddle> popped = pop_frame(frame);
    if (!popped.ok()) {
        terminate_by(frame, FL_SIGSEGV);
        return frame.x[0];
    }
    UThread& uthread = current_uthread();
    Proc& proc = current_proc();
    SpinGuard guard(proc.signals.lock);
    uthread.mask = popped.value().mask & ~unblockable_signals;
    if (deliverable_locked(uthread, proc) != 0) {
        uthread.thread.ask(ReturnWork::Signal);
    }
    return frame.x[0];
}
