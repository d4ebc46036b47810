// A core with nothing to do, and how a core begins.
#include "kernel/core.h"
#include "kernel/log.h"

namespace {

constexpr const char* idle_names[max_cores] = {"idle/0", "idle/1", "idle/2", "idle/3"};

// Where an idle thread with a stack of its own begins.
void idle_main(void*) {
    finish_switch();
    idle_loop();
}

// Core 0's boot context goes on as a thread, so its idle thread needs a stack; the others' boot contexts become theirs.
Thread& make_idle(unsigned id, bool with_stack) {
    Thread& thread = *zone_new<Thread>({.wait = false}, idle_names[id]).value().release();
    if (with_stack) {
        thread.stack = KernelStack::allocate().value();
        cpu::prepare_context(thread.context, thread.stack.top().value, idle_main, nullptr);
    }
    return thread;
}

// The context that calls goes on as `thread`.
void become(Thread& thread, Cpu& cpu) {
    thread.cpu = &cpu;
    thread.on_core.store(true, std::memory_order_relaxed);
    thread.state.store(ThreadState::Running, std::memory_order_relaxed);
    thread.last_charged.store(machine_clock::now(), std::memory_order_relaxed);
    cores[cpu.id].joined.store(true, std::memory_order_relaxed);
    cpu::set_current_thread(&thread);
}

}  // namespace

void sched_init() {
    InterruptGuard guard;
    for (unsigned id = 0; id < max_cores; ++id) {
        cores[id].idle = &make_idle(id, id == 0);
    }
    Thread& boot = *zone_new<Thread>({.wait = false}, "boot").value().release();
    boot.slice_left = slice_of(0);
    become(boot, cpu::current());
}

void sched_enter_core() {
    if (cpu::current().id == 0) {
        thread_exit();      // the boot thread has done its work
    }
    (void)cpu::disable_interrupts();
    become(*this_core().idle, cpu::current());
    idle_loop();
}

void idle_loop() {
    Core& core = this_core();
    Thread& self = *core.idle;
    const unsigned bit = 1u << cpu::current().id;
    for (;;) {
        (void)cpu::disable_interrupts();
        idle_cores.fetch_or(bit, std::memory_order_relaxed);
        Thread& next = choose_next(core);
        if (&next != &self) {
            idle_cores.fetch_and(~bit, std::memory_order_relaxed);
            const Nanoseconds now = machine_clock::now();
            charge(self, now);
            self.state.store(ThreadState::Ready, std::memory_order_relaxed);
            switch_to(core, self, next, now);
            continue;
        }
        const bool more_to_show = log_show_piece();     // a piece a round, for interrupts are off
        // Only this core adds to its queue: what is in it now is being left by another core this very moment.
        if (more_to_show || core.queue.ready() != 0) {
            cpu::relax();
        } else {
            cpu::wait_for_interrupt();
        }
        cpu::restore_interrupts(true);      // here it is taken
    }
}
