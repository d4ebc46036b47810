// Core: what the scheduler keeps for each core, and the steps its files share.
//
// Only the core itself touches its Core, with interrupts off, but for the queue (its own lock) and the atomics.
#pragma once

#include "kernel/run_queue.h"
#include "kernel/sched.h"
#include "kernel/timer.h"
#include "machine/clock.h"

void alarm_rang(void* core);

struct alignas(64) Core {
    Thread* idle = nullptr;             // runs when nobody else is ready; never in a queue
    // Woken here, and first when this core chooses: no lock on the way from waker to sleeper and back. It moves to the
    // queue, where others may steal it, if the waker goes on for long (alarm_rang).
    Thread* next = nullptr;
    Thread* leaving = nullptr;          // whose registers the present switch puts away
    bool preempt = false;               // somebody was woken since the last choice
    Nanoseconds alarm_at = never;       // when the present slice, or a look around, is due; never: no alarm
    RunQueue queue;
    Timer alarm{alarm_rang, this};
    std::atomic<uint64_t> switches{0};
    std::atomic<bool> joined{false};    // it takes part
};

extern Core cores[max_cores];
// Bits of the cores that have nothing to do and were not called yet.
extern std::atomic<unsigned> idle_cores;

inline Core& this_core() { return of_this_core(cores); }

// Time up to `now` goes to the account of the thread that had the core.
inline void charge(Thread& thread, Nanoseconds now) {
    const Nanoseconds ran = now - thread.last_charged.load(std::memory_order_relaxed);
    thread.last_charged.store(now, std::memory_order_relaxed);
    thread.run_time.store(thread.run_time.load(std::memory_order_relaxed) + ran, std::memory_order_relaxed);
    thread.slice_left -= ran < thread.slice_left ? ran : thread.slice_left;
}

// All of these: interrupts off, no lock held unless said otherwise.

// Puts a thread that nobody else may start into this core's queue. Locks below RunQueue may be held.
void make_ready(Thread& thread);
// The next thread for this core, off its queue: its own, a stolen one, or the idle thread.
Thread& choose_next(Core& core);
// What is in `next` goes to the queue.
void make_next_stealable(Core& core);
// A thread from the core that has most ready, or nullptr.
Thread* steal_for(Core& core);
// Switches from the current thread, whose state is set and whose time is charged, to `next`.
void switch_to(Core& core, Thread& self, Thread& next, Nanoseconds now);
// The trace's record of that. kernel/proc knows as which process a thread acts.
void trace_switch(const Core& core, const Thread& self, const Thread& next);
// The first act of every thread that was switched to: lets go of the one before.
void finish_switch();
// Stops the current thread, which is Blocked, Sleeping, Dead, or woken again already.
void block(Thread& self);
// Makes sure that this core looks at its threads again when the slice of `running` ends, or soon if cores idle.
void set_alarm(Core& core, Thread& running, Nanoseconds now);
void call_idle_core();
// Calls one core that has less to do than this one, if there is one.
void balance_away(Core& core);
// A mutex that was not given back for long: says who waits for it, who holds it, and where both are. In an interrupt.
// boot/thread_report.cpp.
void report_long_wait(Thread& waiter, Mutex& mutex);
// Ends an interruptible sleep, if the thread is in one. Locks below RunQueue may be held.
bool wake_sleeper(Thread& thread, WakeReason reason);
[[noreturn]] void idle_loop();
// Takes the sample of the load that is due, if one is. `busy`: this core's thread was not its idle one.
void sample_load(Nanoseconds now, bool busy);
extern std::atomic<Nanoseconds> next_load_sample;
