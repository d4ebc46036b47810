// Work moves to cores that have less: idle ones steal before they sleep, and a core whose threads wait calls another,
// at most one at each of its alarms; the called one does the moving.
#include "kernel/core.h"

std::atomic<unsigned> idle_cores{0};

namespace {

// The core with most ready threads, at least `least`, other than `core`; nullptr if there is none.
Core* longest_queue(const Core& core, unsigned least) {
    Core* longest = nullptr;
    for (Core& other : cores) {
        if (&other != &core && other.queue.ready() >= least) {
            longest = &other;
            least = other.queue.ready() + 1;
        }
    }
    return longest;
}

}  // namespace

Thread* steal_for(Core& core) {
    Core* victim = longest_queue(core, 1);
    if (victim == nullptr) {
        return nullptr;
    }
    victim->queue.lock.acquire();
    Thread* thread = victim->queue.steal();
    victim->queue.lock.release();
    if (thread != nullptr && victim->queue.ready() != 0) {
        call_idle_core();
    }
    return thread;
}

void call_idle_core() {
    const unsigned idle = idle_cores.load(std::memory_order_relaxed);
    if (idle == 0) {
        return;
    }
    const unsigned lowest = idle & -idle;
    if ((idle_cores.fetch_and(~lowest, std::memory_order_relaxed) & lowest) != 0) {
        cpu::interrupt_other(static_cast<unsigned>(__builtin_ctz(lowest)));
    }
}

void balance_away(Core& core) {
    if (idle_cores.load(std::memory_order_relaxed) != 0) {
        call_idle_core();
        return;
    }
    for (Core& other : cores) {
        if (other.joined.load(std::memory_order_relaxed) && other.queue.ready() + 2 <= core.queue.ready()) {
            cpu::interrupt_other(static_cast<unsigned>(&other - cores));
            return;
        }
    }
}

void sched_called() {
    Core& core = this_core();
    Thread& self = *cpu::current_thread();
    if (&self == core.idle) {
        return;     // the idle loop looks by itself
    }
    Core* victim = longest_queue(core, core.queue.ready() + 2);
    if (victim == nullptr) {
        return;
    }
    victim->queue.lock.acquire();
    Thread* thread = victim->queue.steal();
    victim->queue.lock.release();
    if (thread == nullptr) {
        return;
    }
    core.queue.lock.acquire();
    core.queue.add(*thread, Arrival::Moved);
    core.queue.lock.release();
    set_alarm(core, self, machine_clock::now());
}
