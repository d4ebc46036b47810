// Timers: a function called at a time, in interrupt context, on the core that armed it.
//
// Each core keeps its own in a heap and asks its clock for the earliest alone: nothing ticks. One at a time arms or cancels
// a given timer, but for its function, which may arm it again while another cancels, and must not end its life. Armed on
// another core while the function runs, it may run on both.
// Lock: each core's `timers` (LockRank::Timers), not held while the function runs.
#pragma once

#include <atomic>

#include "base/types.h"

class Timer {
public:
    using Function = void (*)(void* context);
    Timer(Function function, void* context) : function_(function), context_(context) {}
    ~Timer();                               // panics if armed or running
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void arm(Nanoseconds deadline);         // absolute; rearms if armed
    // After it returns the function runs on no core and will not run. True if the timer was armed. No lock held that
    // the function takes. Inside the function itself it does not wait for that one.
    bool cancel();
    bool armed() const;

private:
    friend class TimerHeap;
    friend class CoreTimers;
    bool disarm();
    Function function_;
    void* context_;
    Nanoseconds deadline_ = never;
    Timer* child_ = nullptr;
    Timer* sibling_ = nullptr;
    Timer* back_ = nullptr;
    std::atomic<unsigned> where_{0};        // in which core's heap, and on which its function runs: a bit each
};

void timer_interrupt();     // the core's clock interrupt: runs what is due, then leaves programs as long as that took

// How long a core's timers leave it alone at least: more than the way into an interrupt and out of it. Checks that cut a core off
// as often as they can set 0.
extern std::atomic<Nanoseconds> timers_rest;

Nanoseconds realtime_offset();              // time since 1970 at power-on
void set_realtime(Nanoseconds now_since_1970);
