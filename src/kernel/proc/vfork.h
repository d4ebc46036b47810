// vfork by lending the thread. The contract of lab 4; `vfork.cpp` is the lab.
//
// The calling thread itself returns to its program as the child, in the parent's memory. It runs as the parent again when
// the child has exec'ed, exited or been killed. Counterpart in the original: vfork, proc_vfork_begin/end, vfork_return,
// vfork_exit.
#pragma once

#include "kernel/proc/proc.h"

// Makes a child (forkproc: no task, no thread) and lends it the current thread. On success `frame` is the child's: x0 = 0,
// x1 = 1. Invalid, with nothing taken, if the thread is on loan already; otherwise as fork1, the policy and FL_RLIMIT_NPROC
// included, with nothing left behind and the thread as it was.
//
// While the loan lasts, UThread::loan is there, Proc::lent_thread of the child names the thread, and the parent counts it. What
// Saved (loan.h) lists is put aside: the child begins with the same mask and registers, but the thread has no pending
// signals, no identity and no directory of its own. The loan appears under the parent's signals.lock, and there whatever is
// pending for the parent is told to its other threads (tell_again_locked). publish() comes last.
Result<> vfork(UserFrame& frame);

// The lender counts its loans (Proc::loans, under signals.lock); below zero panics. Any thread, no lock at or above Signals.
void proc_vfork_begin(Proc& parent);
void proc_vfork_end(Proc& parent);

// Ends the current thread's loan. Everything that was saved is the parent's again, no call of the child's that a signal broke
// off is under way any more (UThread::mask_before_suspend, restarts_call), and its vfork returns the child's pid in `frame`
// (x1 = 0). What is pending for the thread as the child becomes the child's (hand_pending_to_locked), which has no claim on the
// thread any more: the child's claim (lent_thread) ends under the child's signals.lock, and after that the loan, with mask and
// pending signals, under the parent's. The thread looks for signals that waited (ReturnWork::Signal), and stops if the parent was stopped meanwhile
// (ReturnWork::Stop). The child must have a task of its own or be about to end. Locks: none; the two processes' signals.lock are
// never held together.
void vfork_return(UserFrame& frame);

// The child on loan ends with `wait_status`, as by exit or by a signal: begin_exit (which returns true here: nobody else can have ended a child on loan),
// vfork_return, and last become_zombie, from which on another thread of the parent may reap it.
void vfork_exit(UserFrame& frame, int wait_status);

// The child's 0, or the error of vfork.
Result<uint64_t> sys_vfork(UserFrame& frame);
