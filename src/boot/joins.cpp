// Interrupts to timers and scheduler, shortage to those who can give, the end of a run to the console.
#include "boot/joins.h"

#include "boot/silence.h"
#include "boot/thread_report.h"
#include "drivers/devices.h"
#include "drivers/interrupts.h"
#include "kernel/boot_arguments.h"
#include "kernel/fs/upward.h"
#include "kernel/log.h"
#include "kernel/proc/memory_pressure.h"
#include "kernel/sched.h"
#include "kernel/timer.h"
#include "machine/clock.h"
#include "machine/power.h"
#include "mm/zone.h"

namespace {

constexpr unsigned status_of_timeout = 124;

// Everything that was printed leaves; then nobody prints any more.
void before_end_of_run() {
    devices::console.flush_polled();
    silence_others();
    devices::console.flush_polled_in_panic();
}

void timeout_is_over(void*) {
    log_set_quiet(false);
    log("timeout: the {} seconds are over", boot_arguments.timeout_seconds);
    devices::console.flush_polled();
    report_threads();
    power::off(status_of_timeout);
}

Timer timeout{timeout_is_over, nullptr};

}  // namespace

void join_parts() {
    power::before_end = before_end_of_run;
    interrupts::set_handler(Line::VirtualTimer, [](void*) { timer_interrupt(); }, nullptr);
    interrupts::set_handler(Line::Mailbox0, [](void*) { sched_called(); }, nullptr);
    join_core();
}

void join_core() {
    interrupts::enable(Line::VirtualTimer);
    interrupts::enable(Line::Mailbox0);
}

bool reclaim_memory() {
    const PageCount zones = zone_reclaim(), stacks = stacks_reclaim();
    return zones.value + stacks.value != 0 || relieve_memory_pressure(MemoryNeed::Call);
}

void start_timeout(uint32_t seconds) {
    if (seconds != 0) {
        // The clock counts from power-on: a loader may have waited for its orders for minutes.
        timeout.arm(machine_clock::now() + seconds * nanoseconds_per_second);
    }
}

// fs/upward.h.
void random_fill(void* output, size_t bytes) { devices::random.fill(output, bytes); }
