// The cores' timers, and the time of day.
#include "kernel/timer.h"

#include <algorithm>
#include <bit>

#include "kernel/timer_heap.h"
#include "machine/clock.h"
#include "machine/spin_lock.h"

namespace {

// Of Timer::where_: one word, so that a timer whose time has come goes from armed to running at once, and no look misses it.
constexpr unsigned armed_on(unsigned core) { return 1u << core; }
constexpr unsigned runs_on(unsigned core) { return 1u << (max_cores + core); }
constexpr unsigned armed_anywhere = runs_on(0) - 1;

}  // namespace

std::atomic<Nanoseconds> timers_rest{20'000};

// One core's timers. Programs can set more of them than the core can serve: however many are due, at least half of its time
// is theirs.
class CoreTimers {
public:
    constexpr explicit CoreTimers(unsigned core) : armed_here_(armed_on(core)), runs_here_(runs_on(core)) {}

    void add(Timer& timer, Nanoseconds deadline) {
        SpinGuard guard(lock_);
        TimerHeap::set_deadline(timer, deadline);
        timer.where_.fetch_or(armed_here_, std::memory_order_relaxed);
        heap_.insert(timer);
        if (deadline < programmed_) {
            program();
        }
    }

    // False if it is not here any more. The clock stays set: at worst it interrupts for nothing.
    bool remove(Timer& timer) {
        SpinGuard guard(lock_);
        if ((timer.where_.load(std::memory_order_relaxed) & armed_here_) == 0) {
            return false;
        }
        heap_.remove(timer);
        timer.where_.fetch_and(~armed_here_, std::memory_order_release);
        return true;
    }

    void run_due() {
        const Nanoseconds start = machine_clock::now();
        Nanoseconds now = start;
        lock_.acquire();
        for (Timer* timer = heap_.first(); timer != nullptr && timer->deadline_ <= start && now - start < longest_pass;
             timer = heap_.first()) {
            heap_.remove(*timer);
            timer->where_.fetch_xor(armed_here_ | runs_here_, std::memory_order_release);
            lock_.release();
            timer->function_(timer->context_);
            timer->where_.fetch_and(~runs_here_, std::memory_order_release);    // who waits in cancel() may free it now
            lock_.acquire();
            now = machine_clock::now();
        }
        rest_until_ = now + std::max(now - start, timers_rest.load(std::memory_order_relaxed));
        program();
        lock_.release();
    }

private:
    static constexpr Nanoseconds longest_pass = 100'000;    // no other interrupt is taken meanwhile

    void program() REQUIRES(lock_) {
        programmed_ = heap_.first() != nullptr ? std::max(heap_.first()->deadline_, rest_until_) : never;
        machine_clock::set_deadline(programmed_);
    }

    const unsigned armed_here_, runs_here_;
    SpinLock lock_{LockRank::Timers, "timers"};
    TimerHeap heap_ GUARDED_BY(lock_);
    Nanoseconds programmed_ GUARDED_BY(lock_) = never;
    Nanoseconds rest_until_ GUARDED_BY(lock_) = 0;      // no interrupt before
};

namespace {

CoreTimers timers[max_cores]{CoreTimers(0), CoreTimers(1), CoreTimers(2), CoreTimers(3)};
std::atomic<Nanoseconds> offset{0};

}  // namespace

Timer::~Timer() { ASSERT(where_.load(std::memory_order_relaxed) == 0); }

bool Timer::armed() const { return (where_.load(std::memory_order_relaxed) & armed_anywhere) != 0; }

void Timer::arm(Nanoseconds deadline) {
    InterruptGuard stay_on_core;
    disarm();
    timers[cpu::current().id].add(*this, deadline);
}

bool Timer::disarm() {
    const unsigned where = where_.load(std::memory_order_acquire) & armed_anywhere;
    return where != 0 && timers[std::countr_zero(where)].remove(*this);
}

bool Timer::cancel() {
    bool was_armed = false;
    for (;;) {
        InterruptGuard stay_on_core;
        was_armed |= disarm();
        // On our core the function can only be running below us: then we are called by it.
        if ((where_.load(std::memory_order_acquire) & ~runs_on(cpu::current().id)) == 0) {
            return was_armed;
        }
        cpu::relax();
    }
}

void timer_interrupt() { timers[cpu::current().id].run_due(); }

Nanoseconds realtime_offset() { return offset.load(std::memory_order_relaxed); }

void set_realtime(Nanoseconds now_since_1970) {
    offset.store(now_since_1970 - machine_clock::now(), std::memory_order_relaxed);
}
