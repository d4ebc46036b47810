// The scheduler: four cores, a queue of ready threads each, idle cores steal.
//
// A thread's weight follows its nice level (run_queue.h). A time slice ends by the core's timer, which is armed only
// while another thread is ready (tickless otherwise). A woken thread goes to the queue of the core that woke it, in front
// of threads that used up a slice; an idle core takes from the longest queue (balance.cpp).
#pragma once

#include "kernel/thread.h"

void sched_init();                          // zones, core 0: the calling context becomes a thread
// The calling core joins; its boot context becomes its idle thread. Does not return. Core 0 calls it last: its boot
// thread ends.
[[noreturn]] void sched_enter_core();

// A thread in state Waiting, with a stack, of no task yet. NoMemory, TryAgain.
Result<ZoneOwned<Thread>> thread_create(const char* name);
// The thread will start at entry(argument), in the kernel, interrupts on; when entry returns the thread exits.
void thread_set_entry(Thread& thread, void (*entry)(void*), void* argument);
// The thread will start by returning to its program with the registers in thread.user_frame().
void thread_set_user_entry(Thread& thread);
// Called, interrupts off, before a thread's first return to its program: kernel/entry looks at return_work there as
// it does at every other return. Set before the first program starts.
inline void (*before_first_return)(UserFrame& frame) = nullptr;
// Waiting -> Ready. From here the scheduler owns it; it frees itself after thread_exit().
void thread_start(Thread& thread);
void thread_start(ZoneOwned<Thread>&& thread);
// A kernel thread, started.
Result<> kernel_thread_start(const char* name, void (*entry)(void*), void* argument);

void yield();
[[noreturn]] void thread_exit();            // no lock, no mutex held; task, uthread already left (null)
void thread_set_nice(Thread& thread, int nice);

// Ends an interruptible sleep of `thread` with WakeReason::Interrupted, if it is in one; and if it runs on another
// core, makes that core look at return_work soon. Any context. Call after Thread::ask().
void thread_poke(Thread& thread);

// Sleeps until `deadline`, or until a signal if interruptible.
WakeReason sleep_until(Nanoseconds deadline, bool interruptible);

// Called by the doors: after every interrupt (it may have woken somebody who goes first), and before a return to a program
// when Reschedule is asked.
void reschedule();
// The inter-processor interrupt: another core asks to look at return_work, or has threads to give.
void sched_called();

// A program used floating point for the first time, or for the first time since it got the core: its registers are loaded.
void fp_first_use();
// The current thread's FP registers are brought into thread.fp (for fork and vfork), or become those of `with`, or
// what the caller writes to the returned place before the program runs on.
void fp_sync();
void fp_replace(const FpState& with);
FpState& fp_overwrite();
// The current thread forgets its FP registers: exec, or a loan that ends at a program that had none.
void fp_discard();

struct SchedStats {
    uint64_t context_switches, interrupts, threads, ready;
    Nanoseconds idle;                       // summed over the cores
    uint64_t load[3];                       // in 1/65536, over 1, 5, 15 minutes
};
SchedStats sched_stats();
void thread_times(const Thread& thread, Nanoseconds& user, Nanoseconds& system);
