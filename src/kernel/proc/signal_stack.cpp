// The alternate stack. See signal_stack.h.
#include "kernel/proc/signal_stack.h"

#include "kernel/proc/calls.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"

bool on_alternate_stack(const UThread& uthread, uint64_t sp) {
    const ForkloreSignalStack& stack = uthread.alternate;
    return (stack.flags & FL_SS_DISABLE) == 0 && sp - stack.base <= stack.size && sp != stack.base;
}

uint64_t handler_stack(const UThread& uthread, uint64_t sp, uint32_t action_flags) {
    const ForkloreSignalStack& stack = uthread.alternate;
    const bool wanted = (action_flags & FL_SA_ONSTACK) != 0 && (stack.flags & FL_SS_DISABLE) == 0;
    return wanted && !on_alternate_stack(uthread, sp) ? stack.base + stack.size : sp;
}

// NotPermitted: a handler runs on it, or the thread is on loan, whose stacks are the parent's. NoMemory: too small.
Result<uint64_t> sys_sigaltstack(UserFrame& frame) {
    UserAddr wanted_at(frame.x[0]);
    UserAddr old_at(frame.x[1]);
    UThread& uthread = current_uthread();
    ForkloreSignalStack wanted{};
    const bool active = on_alternate_stack(uthread, frame.sp);
    if (!wanted_at.null()) {
        wanted = TRY(copy_in_value<ForkloreSignalStack>(wanted_at));
        if (active || uthread.loan) {
            return Error::NotPermitted;
        }
        if ((wanted.flags & ~uint32_t{FL_SS_DISABLE}) != 0 || wanted.base + wanted.size < wanted.base) {
            return Error::Invalid;
        }
        if (wanted.flags == 0 && wanted.size < FORKLORE_MINSIGSTKSZ) {
            return Error::NoMemory;
        }
    }
    if (!old_at.null()) {
        ForkloreSignalStack old = uthread.alternate;
        old.flags |= active ? uint32_t{FL_SS_ONSTACK} : 0;
        TRY(copy_out_value(old_at, old));
    }
    if (!wanted_at.null()) {
        uthread.alternate = wanted;
    }
    return 0;
}
