// The cores' timers, and the time of day.
#include "kernel/timer.h"

#include <algorithm>

#include "kernel/timer_heap.h"
#include "machine/clock.h"
#include "machine/spin_lock.h"

// One core's timers. Programs can set more of them than the core can serve: however many are due, at least half of its time
// is theirs.
class CoreTimers {
public:
    void add(Timer& timer, Nanoseconds deadline, int core) {
        SpinGuard guard(lock_);
        TimerHeap::set_deadline(timer, deadline);
        timer.core_.store(core, std::memory_order_relaxed);
        timer.armed_.store(true, std::memory_order_relaxed);
        heap_.insert(timer);
        if (deadline < programmed_) {
            program();
        }
    }

    enum class Removed { Yes, WasNotThere, Runs };
    // The clock stays set: at worst it interrupts for nothing.
    Removed remove(Timer& timer) {
        SpinGuard guard(lock_);
        if (timer.armed()) {
            heap_.remove(timer);
            timer.armed_.store(false, std::memory_order_relaxed);
            return Removed::Yes;
        }
        return running_ == &timer ? Removed::Runs : Removed::WasNotThere;
    }

    void run_due() {
        const Nanoseconds start = machine_clock::now();
        Nanoseconds now = start;
        lock_.acquire();
        for (Timer* timer = heap_.first(); timer != nullptr && timer->deadline_ <= start && now - start < longest_pass;
             timer = heap_.first()) {
            heap_.remove(*timer);
            timer->armed_.store(false, std::memory_order_relaxed);
            running_ = timer;
            lock_.release();
            timer->function_(timer->context_);
            lock_.acquire();
            running_ = nullptr;
            now = machine_clock::now();
        }
        rest_until_ = now + std::max(now - start, shortest_rest);
        program();
        lock_.release();
    }

private:
    static constexpr Nanoseconds longest_pass = 100'000;    // no other interrupt is taken meanwhile
    static constexpr Nanoseconds shortest_rest = 20'000;    // more than the way into an interrupt and out of it

    void program() REQUIRES(lock_) {
        programmed_ = heap_.first() != nullptr ? std::max(heap_.first()->deadline_, rest_until_) : never;
        machine_clock::set_deadline(programmed_);
    }

    SpinLock lock_{LockRank::Timers, "timers"};
    TimerHeap heap_ GUARDED_BY(lock_);
    Timer* running_ GUARDED_BY(lock_) = nullptr;
    Nanoseconds programmed_ GUARDED_BY(lock_) = never;
    Nanoseconds rest_until_ GUARDED_BY(lock_) = 0;      // no interrupt before
};

namespace {

CoreTimers timers[max_cores];
std::atomic<Nanoseconds> offset{0};

}  // namespace

Timer::~Timer() { ASSERT(!armed()); }

void Timer::arm(Nanoseconds deadline) {
    InterruptGuard stay_on_core;
    if (armed()) {
        timers[core_.load(std::memory_order_relaxed)].remove(*this);
    }
    const unsigned core = cpu::current().id;
    timers[core].add(*this, deadline, static_cast<int>(core));
}

bool Timer::cancel_on(int core) {
    for (;;) {
        InterruptGuard stay_on_core;
        const CoreTimers::Removed removed = timers[core].remove(*this);
        // On its own core the function can only be running below us: then we are called by it.
        if (removed != CoreTimers::Removed::Runs || cpu::current().id == static_cast<unsigned>(core)) {
            return removed == CoreTimers::Removed::Yes;
        }
        cpu::relax();
    }
}

void timer_interrupt() { timers[cpu::current().id].run_due(); }

Nanoseconds realtime_offset() { return offset.load(std::memory_order_relaxed); }

void set_realtime(Nanoseconds now_since_1970) {
    offset.store(now_since_1970 - machine_clock::now(), std::memory_order_relaxed);
}
