// What a spin lock does seldom: waiting, and the messages of a lock taken out of order or never given back.
#include "machine/spin_lock.h"

#include "base/format.h"
#include "machine/clock.h"
#include "machine/trace.h"

namespace {

// Locks are held for microseconds, by the console for milliseconds. An emulated core may lose its host for a while, so both must
// have passed.
constexpr Nanoseconds longest_wait = 10 * nanoseconds_per_second;
constexpr unsigned spins_a_look = 1u << 16, most_looks = 64;

}  // namespace

// The panic's report of the other cores shows which of them holds the lock, and where it is.
void SpinLock::wait() {
    trace::lock_event(TraceKind::LockWait, name_, this, __builtin_return_address(0));
    Nanoseconds start = 0;
    unsigned looks = 0;
    do {
        for (unsigned spins = 1; locked_.load(std::memory_order_relaxed) != 0; ++spins) {
            cpu::relax();
            if (spins % spins_a_look != 0) {
                continue;
            }
            const Nanoseconds now = machine_clock::now();
            start = looks == 0 ? now : start;
            if (++looks > most_looks && now - start > longest_wait) {
                TextBuffer<160> text;
                text.add("deadlock: \"{}\" (rank {}) is not given back", name_, rank_);
                panic(text.c_str());
            }
        }
    } while (locked_.exchange(taken, std::memory_order_acquire) != 0);
    trace::lock_event(TraceKind::LockTaken, name_, this, __builtin_return_address(0));
}

void SpinLock::report_order(const SpinLock& innermost) const {
    TextBuffer<160> text;
    text.add("lock order: \"{}\" (rank {}) taken while holding \"{}\" (rank {})", name_, rank_, innermost.name_,
             innermost.rank_);
    panic(text.c_str());
}
