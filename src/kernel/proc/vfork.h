// vfork by lending the thread. The contract of lab 4; `vfork.cpp` is the lab.
//
// The calling thread itself returns to its program as the child, in the parent's memory. It runs as the parent again when
// the child has exec'ed, exited or been killed. Counterpart in the original: vfork, proc_vfork_begin/end, vfork_return,
// vfork_exit.
#pragma once

#include "kernel/proc/proc.h"

// Makes a child and lends it the current thread. On success `frame` is the child's: x0 = 0, x1 = 1. Invalid if the thread is
// on loan already; otherwise as fork1.
Result<> vfork(UserFrame& frame);

// The lender counts its loans; below zero panics.
void proc_vfork_begin(Proc& parent);
void proc_vfork_end(Proc& parent);

// Ends the current thread's loan: registers, mask and identity are the parent's again, and its vfork returns the child's
// pid in `frame`. The child must have a task of its own or be a zombie.
void vfork_return(UserFrame& frame);

// The child on loan ends with `wait_status`, as by exit or by a signal; then vfork_return.
void vfork_exit(UserFrame& frame, int wait_status);

Result<uint64_t> sys_vfork(UserFrame& frame);
