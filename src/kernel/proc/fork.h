// Process creation. The contract of lab 3; `fork.cpp` and mm/page_table_copy.cpp are the lab.
//
// Gather, commit, publish: every step that can fail gives a move-only owner; behind one marked line nothing fails; another
// core sees the child only when it is complete. Counterpart in the original: kern_fork.c.
#pragma once

#include "kernel/proc/proc.h"
#include "mm/page_table_copy.h"

// Fork copies the caller's memory; Spawn (spawn.h) starts with a new program; Vfork (vfork.h) borrows everything.
enum class ProcKind : uint8_t { Fork, Spawn, Vfork };

struct ForkOptions {
    ProcKind kind = ProcKind::Fork;
};

// The boot argument copy=: how fork copies private pages.
void set_fork_copy_mode(CopyMode mode);
CopyMode fork_copy_mode();

// May forbid a fork; returns the error. One may be registered at a time: the next replaces it, and null, which allows all, removes it.
using ForkPolicy = Result<> (*)(Proc& parent);
void set_fork_policy(ForkPolicy policy);
Result<> fork_policy_check(Proc& parent);

// The calling process makes a child of the kind Fork: it runs by itself, its registers a copy of `frame` in which fork
// returned 0. Its one thread has the calling one's thread pointer, floating-point registers and signal mask and the process's nice
// level, and is started last. The child's pid. TryAgain (processes, per user, pids),
// NoMemory, or what the policy says. Another kind panics.
Result<Pid> fork1(UserFrame& frame, const ForkOptions& options);

// The child's identity: number and slot held, Inherited copied, credentials, limits, directory and program referenced (the
// calling thread's own credentials and directory if it has them; it may have no UThread), files and signal actions duplicated,
// statistics fresh. It has no task and nobody sees it.
Result<ZoneOwned<Proc>> forkproc(Proc& parent, ProcSlot slot);

// Publishes a complete child, which is Running from here: parent's children, its group, the table; and counts the fork. If
// SIGKILL is pending for the parent, the child gets it too: who killed the group could not find it before.
void publish(Proc& parent, Proc& child);

// The first process: forkproc from the kernel's own, with no parent task; it starts at `entry` in the kernel.
Result<Pid> cloneproc_init(void (*entry)(void*), void* argument);

uint64_t forks_ever();

Result<uint64_t> sys_fork(UserFrame& frame);
