// Sleeping for signals: sigsuspend, and sigtimedwait, which takes one without a handler. Lock: Proc::signals.lock.
#include "kernel/proc/calls.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"
#include "kernel/time_values.h"
#include "machine/clock.h"
#include "mm/user_copy.h"

namespace {

// Stopped, ended or killed: what the sleeper must look at whatever signal it waits for.
bool must_leave(const Thread& thread) {
    return thread.asked(ReturnWork::Stop) || thread.asked(ReturnWork::Terminate) || thread.asked(ReturnWork::Kill);
}

// Waits until a signal of `set` is pending, and takes it. Meanwhile they count as not blocked, so that this thread is told.
Result<ForkloreSiginfo> await_locked(Proc& proc, UThread& uthread, SignalSet set, Nanoseconds deadline)
    REQUIRES(proc.signals.lock) {
    const SignalSet mask = uthread.mask;
    Channel nobody;
    for (;;) {
        const SignalSet pending = uthread.pending | proc.signals.pending;
        if ((pending & set) != 0) {
            return take_pending_locked(proc, uthread, __builtin_ctz(pending & set));
        }
        if ((pending & ~mask) != 0) {
            return Error::Interrupted;              // by a handler, or by its end
        }
        uthread.mask = mask & ~set;
        uthread.thread.done(ReturnWork::Signal);    // whoever makes one pending asks again, under this lock
        const WakeReason reason = park(nobody, proc.signals.lock, {.interruptible = true, .deadline = deadline});
        uthread.mask = mask;
        if (must_leave(uthread.thread)) {
            return Error::Restart;
        }
        if (reason == WakeReason::TimedOut) {
            return Error::TryAgain;
        }
    }
}

Result<ForkloreSiginfo> take_one_of(SignalSet set, Nanoseconds deadline) {
    Proc& proc = current_proc();
    UThread& uthread = current_uthread();
    SpinGuard guard(proc.signals.lock);
    Result<ForkloreSiginfo> taken = await_locked(proc, uthread, set, deadline);
    uthread.thread.ask(ReturnWork::Signal);
    tell_again_locked(proc);        // of what came for another thread while this one counted
    return taken;
}

}  // namespace

// Waits, with another mask, for a signal that is caught or kills. The old mask is back when the handler has run.
Result<uint64_t> sys_sigsuspend(UserFrame& frame) {
    SignalSet mask = TRY(copy_in_value<SignalSet>(UserAddr(frame.x[0]))) & ~unblockable_signals;
    Proc& proc = current_proc();
    UThread& uthread = current_uthread();
    SpinGuard guard(proc.signals.lock);
    if (!uthread.mask_before_suspend) {
        uthread.mask_before_suspend = uthread.mask;
    }
    uthread.mask = mask;
    Channel nobody;
    while (((uthread.pending | proc.signals.pending) & ~uthread.mask) == 0) {
        uthread.thread.done(ReturnWork::Signal);    // whoever makes one pending asks again, under this lock
        park(nobody, proc.signals.lock, {.interruptible = true});
        if (must_leave(uthread.thread)) {
            return Error::Restart;
        }
    }
    uthread.thread.ask(ReturnWork::Signal);
    return Error::Interrupted;
}

// TryAgain: none came in time. A time of zero only looks.
Result<uint64_t> sys_sigtimedwait(UserFrame& frame) {
    const SignalSet set = TRY(copy_in_value<SignalSet>(UserAddr(frame.x[0]))) & ~unblockable_signals & ~SignalSet{1};
    UserAddr info_at(frame.x[1]);
    UserAddr timeout_at(frame.x[2]);
    Nanoseconds deadline = never;
    if (!timeout_at.null()) {
        auto timeout = TRY(copy_in_value<ForkloreTime>(timeout_at));
        deadline = machine_clock::now() + TRY(nanoseconds_asked(timeout));
    }
    ForkloreSiginfo info = TRY(take_one_of(set, deadline));
    if (!info_at.null()) {
        TRY(copy_out_value(info_at, info));
    }
    return static_cast<uint64_t>(info.signal);
}
