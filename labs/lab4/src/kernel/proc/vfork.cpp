// Lab 4: vfork by lending the thread. The contract is vfork.h, the handout labs/lab4/README.md.
//
// Two halves, each the other's mirror: what `vfork` lends, `vfork_return` takes back.
#include "kernel/proc/vfork.h"

#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/sched.h"

void proc_vfork_begin(Proc&) {}

void proc_vfork_end(Proc&) {}

// Before you take anything: may this thread be lent at all?
Result<> vfork(UserFrame&) { return Error::NotImplemented; }

// Registers, mask, pending signals, thread pointer, floating point, identity: all of them, and only then the count.
void vfork_return(UserFrame&) {}

// The order matters: once the child is a zombie, another thread of the parent may reap it.
void vfork_exit(UserFrame&, int) {}

Result<uint64_t> sys_vfork(UserFrame& frame) {
    TRY(vfork(frame));
    return frame.x[0];
}
