// Which threads hear of a signal that is pending for their process, and who is told when they can not take it any more.
#pragma once

#include "kernel/proc/proc.h"

// Neither caught nor of an effect.
bool signal_ignored_locked(Proc& proc, int signal) REQUIRES(proc.signals.lock);

// Tells one thread that does not block the signal, the current one first, or all of them of a signal that nobody can block. Threads that are lent
// stand for their child and hear nothing, but for a SIGKILL, which ends the loan too.
void tell_a_thread_locked(Proc& proc, int signal) REQUIRES(proc.signals.lock);

// The same for everything that is pending: the thread that was told of it blocks it now, ends, or is lent.
void tell_again_locked(Proc& proc) REQUIRES(proc.signals.lock);

// A pending signal leaves its set, the thread's before the process's: what is known of it.
ForkloreSiginfo take_pending_locked(Proc& proc, UThread& uthread, int signal) REQUIRES(proc.signals.lock);

// What is pending for the thread alone becomes the business of `proc`, unless that ignores it.
void hand_pending_to_locked(Proc& proc, UThread& uthread) REQUIRES(proc.signals.lock);

// Asks every thread of the process that is not lent, or the one that was lent to it.
void ask_all_threads_locked(Proc& proc, ReturnWork work) REQUIRES(proc.signals.lock);
