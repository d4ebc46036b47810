// Timers: a function called at a time, in interrupt context, on the core that armed it.
//
// Each core keeps its own in a heap and asks its clock for the earliest alone: nothing ticks. One thread at a time arms
// or cancels a given timer; its own function may arm it again, and must not end its life.
// Lock: each core's `timers` (LockRank::Timers), not held while the function runs.
#pragma once

#include <atomic>

#include "base/types.h"

class Timer {
public:
    using Function = void (*)(void* context);
    Timer(Function function, void* context) : function_(function), context_(context) {}
    ~Timer();                               // panics if armed
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void arm(Nanoseconds deadline);         // absolute; rearms if armed
    // After it returns the function does not run and will not run. True if it had not run yet. No lock held that
    // the function takes. Inside the function itself it only disarms.
    bool cancel() {
        const int core = core_.load(std::memory_order_relaxed);
        return core >= 0 && cancel_on(core);
    }
    bool armed() const { return armed_.load(std::memory_order_relaxed); }

private:
    friend class TimerHeap;
    friend class CoreTimers;
    bool cancel_on(int core);               // where it was armed, once at least
    Function function_;
    void* context_;
    Nanoseconds deadline_ = never;
    Timer* child_ = nullptr;
    Timer* sibling_ = nullptr;
    Timer* back_ = nullptr;
    std::atomic<bool> armed_{false};        // in the heap of core_
    std::atomic<int> core_{-1};             // where it was last armed
};

void timer_interrupt();     // the core's clock interrupt: runs what is due, then leaves programs as long as that took

Nanoseconds realtime_offset();              // time since 1970 at power-on
void set_realtime(Nanoseconds now_since_1970);
