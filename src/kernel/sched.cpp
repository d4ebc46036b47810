// The switch from thread to thread, and when it happens. Interrupts are off from the moment a thread's state leaves
// Running until the next thread has let go of it (finish_switch).
//
// A switched-out thread's registers are in its context only when `on_core` is false again; until then nobody may
// start it (RunQueue passes over it). The store is a release, the look an acquire.
#include "kernel/sched.h"

#include "kernel/core.h"
#include "kernel/task.h"
#include "machine/trace.h"

Core cores[max_cores];

namespace {

constexpr Nanoseconds look_around = 1'000'000;     // between two looks for an idle core, while threads are ready
constexpr Nanoseconds shortest_slice = 100'000;

// The user half follows the task; kernel threads run without one, so that no core keeps a dead space.
void switch_space(Thread& self, Thread& next) {
    if (next.task == self.task) {
        return;
    }
    if (next.task != nullptr) {
        next.task->space->activate();
    } else {
        AddressSpace::activate_none();
    }
}

void switch_thread_pointer(Thread& self, Thread& next) {
    if (self.task != nullptr) {
        self.thread_pointer = cpu::user_thread_pointer();
    }
    if (next.task != nullptr) {
        cpu::set_user_thread_pointer(next.thread_pointer);
    }
}

// The registers are put away, and the unit is closed: the next thread's are loaded when it uses them, which most threads
// do not between two switches.
void put_fp_away(Thread& thread) {
    if (thread.fp_on_core) {
        fp_save(&thread.fp);
        thread.fp_on_core = false;
        fp_disable();
    }
}

// Not inline: the way past the queue stays short.
[[gnu::noinline]] void enqueue(Core& core, Thread& thread, Arrival how) {
    core.queue.lock.acquire();
    core.queue.add(thread, how);
    core.queue.lock.release();
}

[[gnu::noinline]] Thread* take_from_queue(Core& core) {
    if (core.queue.ready() == 0) {
        return nullptr;
    }
    core.queue.lock.acquire();
    Thread* thread = core.queue.take();
    core.queue.lock.release();
    return thread;
}

// The thread in `next`, unless another core is still leaving it.
Thread* take_next(Core& core) {
    Thread* thread = core.next;
    if (thread != nullptr) {
        if (thread->on_core.load(std::memory_order_acquire)) [[unlikely]] {
            make_next_stealable(core);
            return nullptr;
        }
        core.next = nullptr;
    }
    return thread;
}

// Nobody is in `next`.
[[gnu::noinline]] Thread& choose_from_queues(Core& core) {
    Thread* thread = take_from_queue(core);
    if (thread == nullptr) {
        thread = steal_for(core);
    }
    return thread != nullptr ? *thread : *core.idle;
}

// Gives the core to another ready thread, if there is one. The current thread stays ready.
void give_way(Core& core, Thread& self, Arrival how) {
    ASSERT(cpu::current().held.none());
    const Nanoseconds now = machine_clock::now();
    charge(self, now);
    core.preempt = false;
    Thread* next = take_next(core);
    if (next == nullptr) {
        next = take_from_queue(core);
    }
    if (next != nullptr) {
        self.state.store(ThreadState::Ready, std::memory_order_relaxed);
        (how == Arrival::Yielded ? self.voluntary_switches : self.involuntary_switches).add(1);
        enqueue(core, self, how);
        switch_to(core, self, *next, now);
    } else if (self.slice_left == 0) {
        self.slice_left = slice_of(self.nice.load(std::memory_order_relaxed));
    }
}

[[gnu::noinline]] void first_alarm(Core& core) {
    Thread& self = *cpu::current_thread();
    if (&self != core.idle) {
        set_alarm(core, self, machine_clock::now());
    }
}

[[gnu::noinline]] void bury(Thread& dead) { ZoneDelete<Thread>{}(dead); }

}  // namespace

void set_alarm(Core& core, Thread& running, Nanoseconds now) {
    Nanoseconds wait = running.slice_left;
    if (idle_cores.load(std::memory_order_relaxed) != 0 && wait > look_around) {
        wait = look_around;
    }
    const Nanoseconds at = now + (wait > shortest_slice ? wait : shortest_slice);
    if (at < core.alarm_at) {
        core.alarm_at = at;
        core.alarm.arm(at);
    }
}

void make_ready(Thread& thread) {
    Core& core = this_core();
    core.preempt = true;
    if (core.next == nullptr && core.queue.in_round(thread)) [[likely]] {
        core.next = &thread;
    } else {
        enqueue(core, thread, Arrival::Woken);
    }
    if (core.alarm_at == never) [[unlikely]] {
        first_alarm(core);
    }
}

void make_next_stealable(Core& core) {
    if (Thread* thread = std::exchange(core.next, nullptr)) {
        enqueue(core, *thread, Arrival::Woken);
    }
}

Thread& choose_next(Core& core) {
    Thread* next = take_next(core);
    return next != nullptr ? *next : choose_from_queues(core);
}

void switch_to(Core& core, Thread& self, Thread& next, Nanoseconds now) {
    if (now >= next_load_sample.load(std::memory_order_relaxed)) [[unlikely]] {
        sample_load(now, &self != core.idle);
    }
    if (trace::on) [[unlikely]] {
        trace_switch(core, self, next);
    }
    core.preempt = false;
    core.leaving = &self;
    core.switches.store(core.switches.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    next.cpu = self.cpu;
    next.last_charged.store(now, std::memory_order_relaxed);
    next.on_core.store(true, std::memory_order_relaxed);
    next.state.store(ThreadState::Running, std::memory_order_relaxed);
    // The state is seen before `next` looks at return_work: thread_poke does it the other way round, so either it sees
    // the thread running or the thread sees what it was asked.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (core.queue.ready() != 0) {
        set_alarm(core, next, now);
    }
    switch_space(self, next);
    switch_thread_pointer(self, next);
    put_fp_away(self);
    cpu::set_current_thread(&next);
    cpu::switch_context(self.context, next.context);
    finish_switch();
}

void finish_switch() {
    Thread& left = *this_core().leaving;
    if (left.state.load(std::memory_order_relaxed) == ThreadState::Dead) [[unlikely]] {
        bury(left);
        return;
    }
    left.on_core.store(false, std::memory_order_release);
}

void block(Thread& self) {
    Core& core = this_core();
    ASSERT(cpu::current().held.none() && &self != core.idle);
    const Nanoseconds now = machine_clock::now();
    charge(self, now);
    self.voluntary_switches.add(1);
    switch_to(core, self, choose_next(core), now);
}

void alarm_rang(void* context) {
    Core& core = *static_cast<Core*>(context);
    Thread& self = *cpu::current_thread();
    core.alarm_at = never;
    make_next_stealable(core);
    if (&self == core.idle || core.queue.ready() == 0) {
        return;     // nobody waits: no more alarms
    }
    const Nanoseconds now = machine_clock::now();
    charge(self, now);
    balance_away(core);
    if (self.slice_left == 0) {
        self.ask(ReturnWork::Reschedule);
    } else {
        set_alarm(core, self, now);
    }
}

void reschedule() {
    InterruptGuard guard;
    Core& core = this_core();
    Thread& self = *cpu::current_thread();
    const bool slice_over = self.asked(ReturnWork::Reschedule);
    if ((!slice_over && !core.preempt) || &self == core.idle) [[likely]] {
        return;     // the idle loop looks by itself
    }
    if (slice_over) {
        self.done(ReturnWork::Reschedule);
    }
    give_way(core, self, slice_over ? Arrival::Spent : Arrival::Preempted);
}

void yield() {
    InterruptGuard guard;
    give_way(this_core(), *cpu::current_thread(), Arrival::Yielded);
}

void thread_exit() {
    Thread& self = *cpu::current_thread();
    if (!self.held_mutexes.none()) {
        panic("a thread ended with a mutex held");
    }
    ASSERT(self.task == nullptr && self.uthread == nullptr);
    (void)cpu::disable_interrupts();
    fp_discard();
    self.state.store(ThreadState::Dead, std::memory_order_relaxed);
    block(self);
    panic("a dead thread ran");
}

void thread_poke(Thread& thread) {
    InterruptGuard guard;
    // The asked work is seen by all before the state is looked at: see park.cpp and switch_to.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (wake_sleeper(thread, WakeReason::Interrupted)) {
        return;
    }
    if (thread.state.load(std::memory_order_relaxed) == ThreadState::Running && thread.cpu != &cpu::current()) {
        cpu::interrupt_other(thread.cpu->id);
    }
}

void fp_first_use() {
    InterruptGuard guard;
    Thread& self = *cpu::current_thread();
    if (!self.uses_fp) {
        self.fp = {};
        self.uses_fp = true;
    }
    fp_enable();
    fp_load(&self.fp);
    self.fp_on_core = true;
}

void fp_sync() {
    InterruptGuard guard;
    Thread& self = *cpu::current_thread();
    if (self.fp_on_core) {
        fp_save(&self.fp);
    }
}

void fp_replace(const FpState& with) { fp_overwrite() = with; }

// The registers leave the core first: no switch in between saves the old ones over what is written, and the next use
// loads it.
FpState& fp_overwrite() {
    InterruptGuard guard;
    Thread& self = *cpu::current_thread();
    self.uses_fp = true;
    if (self.fp_on_core) {
        self.fp_on_core = false;
        fp_disable();
    }
    return self.fp;
}

void fp_discard() {
    InterruptGuard guard;
    Thread& self = *cpu::current_thread();
    self.uses_fp = false;
    if (self.fp_on_core) {
        self.fp_on_core = false;
        fp_disable();
    }
}
