// Lab 3, second half: gather, commit, publish. The contract is fork.h, the handout labs/lab3/README.md.
//
// Each step that can fail gives an owner; TRY leaves the function, and the owners made so far give back what they hold.
// There is no clean-up code in this file.
#include "kernel/proc/fork.h"

#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "machine/clock.h"

namespace {

CopyMode copy_mode = CopyMode::CopyOnWrite;

}  // namespace

void set_fork_copy_mode(CopyMode mode) { copy_mode = mode; }
CopyMode fork_copy_mode() { return copy_mode; }

void set_fork_policy(ForkPolicy) {}

Result<> fork_policy_check(Proc&) { return {}; }

uint64_t forks_ever() { return 0; }

// The child's identity: start here. The number first; who gives it back if the next step fails?
Result<ZoneOwned<Proc>> forkproc(Proc&, ProcSlot) { return Error::NotImplemented; }

// The last thing of all: from here others see the child.
void publish(Proc&, Proc&) {}

Result<Pid> fork1(UserFrame&, const ForkOptions&) { return Error::NotImplemented; }

// The same path with no parent task: an empty address space, and a thread that starts in the kernel.
Result<Pid> cloneproc_init(void (*)(void*), void*) { return Error::NotImplemented; }

Result<uint64_t> sys_fork(UserFrame& frame) {
    Pid pid = TRY(fork1(frame, {.kind = ProcKind::Fork}));
    frame.x[1] = 0;
    return static_cast<uint64_t>(number(pid));
}
