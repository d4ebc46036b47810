// The bench image's first thread: where the kernel would start /bin/init, it measures what only the inside of the kernel
// can: pids in an empty and in a full space, zones on one core and on four. Prints lines as src/user/programs/bench.c
// does. Under icount a nanosecond is an instruction, summed over all cores.
#include <algorithm>
#include <atomic>

#include "base/format.h"
#include "base/panic.h"
#include "kernel/log.h"
#include "kernel/proc/pid.h"
#include "kernel/sched.h"
#include "machine/clock.h"
#include "machine/console.h"
#include "machine/power.h"
#include "machine/trace.h"
#include "mm/zone.h"

namespace {

constexpr unsigned samples = 101;

// A figure with three decimals, given in thousandths.
void print_row(const char* name, unsigned parameter, uint64_t thousandths) {
    TextBuffer<160> line;
    auto figure = [&](char after) {
        const uint64_t rest = thousandths % 1000;
        line.add("{}.{}{}{}{}", thousandths / 1000, rest / 100, rest / 10 % 10, rest % 10, after);
    };
    line.add("R,{},{},{},", name, parameter, samples);
    figure(',');
    figure(',');
    figure(',');
    figure('\n');
    console::put(line.text());
}

// The median of `samples` runs of `count` operations, in thousandths of an instruction an operation.
template <typename Operation>
uint64_t median_of(unsigned count, Operation operation) {
    static Nanoseconds took[samples];
    for (Nanoseconds& one : took) {
        const Nanoseconds start = machine_clock::now();
        for (unsigned i = 0; i < count; ++i) {
            operation();
        }
        one = machine_clock::now() - start;
    }
    std::sort(took, took + samples);
    return took[samples / 2] * 1000 / count;
}

// --- pids ---

void measure_pids(unsigned percent) {
    const size_t wanted = static_cast<size_t>(pid_maximum()) * percent / 100;
    while (pids_in_use() < wanted) {
        (void)pid_allocate().value();
    }
    print_row("pid_allocate_release", percent, median_of(1000, [] { pid_release(pid_allocate().value(), PidUse::Process); }));
}

// --- the trace ---

void measure_trace() {
    constexpr unsigned count = 1000;
    print_row("trace_event_off", 1, median_of(count, [] { trace::event(TraceKind::ZoneGrow, 1, 2); }));
    static TraceRecord rings[max_cores][1024];
    trace::start(rings, 1024);
    print_row("trace_event", 1, median_of(count, [] { trace::event(TraceKind::ZoneGrow, 1, 2); }));
    trace::on = false;
}

// --- zones ---

constexpr size_t element_size = 256;
constexpr unsigned most_held = 12;      // elements that a worker holds at once
constexpr unsigned pairs_each = 100'000;

std::atomic<unsigned> ready{0}, finished{0};
std::atomic<bool> go{false};
Zone* zone = nullptr;

// Bursts of changing length: so many taken, then given back.
void churn(unsigned seed) {
    void* held[most_held];
    for (unsigned done = 0; done < pairs_each;) {
        seed = seed * 1664525 + 1013904223;
        const unsigned burst = 1 + (seed >> 16) % most_held;
        for (unsigned i = 0; i < burst; ++i) {
            held[i] = zalloc(*zone).value();
        }
        for (unsigned i = 0; i < burst; ++i) {
            zfree(*zone, held[i]);
        }
        done += burst;
    }
}

void worker(void* seed) {
    ready.fetch_add(1);
    while (!go.load()) {
        cpu::relax();
    }
    churn(static_cast<unsigned>(reinterpret_cast<uint64_t>(seed)));
    finished.fetch_add(1);
}

// Workers spread over the cores while they wait for each other: nobody begins before all run at once.
void measure_zone(unsigned workers) {
    zone = &zone_create({.name = "bench", .element_size = element_size}).value();
    ready = finished = 0;
    go = false;
    for (unsigned i = 0; i + 1 < workers; ++i) {
        if (!kernel_thread_start("worker", worker, reinterpret_cast<void*>(uint64_t{i} + 1)).ok()) {
            panic("no memory for a worker");
        }
    }
    while (ready.load() + 1 < workers) {
        cpu::relax();
    }
    const ZoneStats before = zone_stats(*zone);
    const Nanoseconds start = machine_clock::now();
    go = true;
    churn(0);
    while (finished.load() + 1 < workers) {
        cpu::relax();
    }
    const Nanoseconds took = machine_clock::now() - start;
    const ZoneStats after = zone_stats(*zone);
    const uint64_t pairs = after.allocations - before.allocations;
    print_row("zone_pair", workers, took * 1000 / pairs);
    print_row("zone_pair_shared_locks", workers, (after.lock_acquisitions - before.lock_acquisitions) * 1000 / pairs);
}

void run(void*) {
    measure_pids(1);
    measure_pids(99);
    measure_trace();
    measure_zone(1);
    measure_zone(4);
    console::put("I,kernel bench end\n");
    power::off(0);
}

}  // namespace

extern "C" void __wrap__Z19start_first_processv() {
    log_set_quiet(true);
    if (!kernel_thread_start("bench", run, nullptr).ok()) {
        panic("no memory for the bench's thread");
    }
}
