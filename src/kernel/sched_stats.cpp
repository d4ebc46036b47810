// What the scheduler tells about itself: times, counts, and how many threads wanted a core lately.
//
// Nothing ticks, so the load is sampled when a switch, or somebody who asks, comes by after a sample was due; missed
// ones count what is found then. Lock: `load` for the three averages.
#include "drivers/interrupts.h"
#include "kernel/core.h"

namespace {

constexpr Nanoseconds sample_period = 5 * nanoseconds_per_second;
// e^(-5 s / 1, 5, 15 min) in 1/65536.
constexpr uint64_t decay[3] = {60'296, 64'453, 65'173};
constexpr uint64_t one = 65'536;
constexpr uint64_t longest_memory = 3 * 15 * 60 / 5;    // samples after which the past is forgotten

SpinLock load_lock{LockRank::Timers, "load"};
uint64_t load_average[3] GUARDED_BY(load_lock) = {};

// Idle cores run their idle threads, all others one of ours.
uint64_t runnable_elsewhere(const Core& here) {
    uint64_t count = here.queue.ready();
    for (Core& core : cores) {
        if (&core != &here && core.joined.load(std::memory_order_relaxed)) {
            const bool idles = core.idle->state.load(std::memory_order_relaxed) == ThreadState::Running;
            count += core.queue.ready() + (idles ? 0 : 1);
        }
    }
    return count;
}

}  // namespace

std::atomic<Nanoseconds> next_load_sample{sample_period};

void sample_load(Nanoseconds now, bool busy) {
    SpinGuard guard(load_lock);
    const Nanoseconds due = next_load_sample.load(std::memory_order_relaxed);
    if (now < due) {
        return;     // another core was faster
    }
    const uint64_t periods = (now - due) / sample_period + 1;
    next_load_sample.store(due + periods * sample_period, std::memory_order_relaxed);
    const uint64_t runnable = runnable_elsewhere(this_core()) + (busy ? 1 : 0);
    for (unsigned i = 0; i < 3; ++i) {
        for (uint64_t n = 0; n < periods && n < longest_memory; ++n) {
            load_average[i] = (load_average[i] * decay[i] + runnable * one * (one - decay[i])) / one;
        }
    }
}

SchedStats sched_stats() {
    InterruptGuard guard;
    const Nanoseconds now = machine_clock::now();
    // Who asks does not count itself.
    if (now >= next_load_sample.load(std::memory_order_relaxed)) {
        sample_load(now, false);
    }
    SchedStats stats{};
    stats.interrupts = interrupts::controller.total();
    stats.threads = Thread::count();
    for (Core& core : cores) {
        stats.context_switches += core.switches.load(std::memory_order_relaxed);
        stats.ready += core.queue.ready();
        if (core.joined.load(std::memory_order_relaxed)) {
            Nanoseconds user = 0, system = 0;
            thread_times(*core.idle, user, system);
            stats.idle += user + system;
        }
    }
    SpinGuard averages(load_lock);
    for (unsigned i = 0; i < 3; ++i) {
        stats.load[i] = load_average[i];
    }
    return stats;
}

void thread_times(const Thread& thread, Nanoseconds& user, Nanoseconds& system) {
    Nanoseconds total = thread.run_time.load(std::memory_order_relaxed);
    if (thread.state.load(std::memory_order_relaxed) == ThreadState::Running) {
        const Nanoseconds since = thread.last_charged.load(std::memory_order_relaxed);
        const Nanoseconds now = machine_clock::now();
        total += now > since ? now - since : 0;
    }
    // A program that runs alone is hardly ever interrupted: one sample more is taken for its own, so that a single one
    // does not decide.
    const unsigned own = thread.task != nullptr ? 1 : 0;
    const uint64_t user_samples = thread.user_samples + own;
    const uint64_t samples = user_samples + thread.system_samples;
    user = samples != 0 ? static_cast<Nanoseconds>(static_cast<unsigned __int128>(total) * user_samples / samples) : 0;
    system = total - user;
}
