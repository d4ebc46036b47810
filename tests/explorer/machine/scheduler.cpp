// The kernel's scheduler as the explorer plays it: a started thread is a logical thread of the case.
#include "kernel/sched.h"

#include <vector>

#include "explorer/engine/engine.h"
#include "explorer/machine/machine.h"

namespace host {
bool go_on_idle();
}

namespace {

// Started before the case: they begin anew in each schedule.
std::vector<Thread*>* all_pending = nullptr;
std::vector<Thread*>& pending() { return *all_pending; }

void run_thread(Thread& thread) {
    thread.state = ThreadState::Running;
    thread.entry(thread.entry_argument);
    thread_exit();
}

void enter_program(void* argument) {
    UserFrame& frame = static_cast<Thread*>(argument)->user_frame();
    (void)cpu::disable_interrupts();
    if (before_first_return != nullptr) {
        before_first_return(frame);
    }
    cpu::enter_user(&frame);
}

void begin(Thread& thread) {
    explorer::spawn(thread.name, [&thread] { run_thread(thread); }, &thread);
}

}  // namespace

namespace host {

void start_pending() {
    for (Thread* thread : pending()) {
        begin(*thread);
    }
}

void forget_pending() {
    if (all_pending == nullptr) {
        all_pending = new std::vector<Thread*>;
    }
    pending().clear();
}

}  // namespace host

void sched_init() {}

void thread_set_entry(Thread& thread, void (*entry)(void*), void* argument) {
    thread.entry = entry;
    thread.entry_argument = argument;
}
void thread_set_user_entry(Thread& thread) { thread_set_entry(thread, enter_program, &thread); }

void thread_start(Thread& thread) {
    ASSERT(thread.state == ThreadState::Waiting);
    ASSERT(thread.entry != nullptr);
    thread.state = ThreadState::Ready;
    if (!explorer::in_case()) {
        pending().push_back(&thread);
        return;
    }
    begin(thread);
    explorer::point("go on after a thread was started");
}
void thread_start(ZoneOwned<Thread>&& thread) { thread_start(*thread.release()); }

Result<> kernel_thread_start(const char* name, void (*entry)(void*), void* argument) {
    auto thread = TRY(thread_create(name));
    thread_set_entry(*thread, entry, argument);
    thread_start(std::move(thread));
    return {};
}

void yield() { explorer::yield("yield"); }
void reschedule() {}

// As on the Pi, the core goes on without the thread, and gives its memory back.
void thread_exit() {
    Thread& thread = *cpu::current_thread();
    ASSERT(thread.task == nullptr && thread.uthread == nullptr && thread.held_mutexes.none());
    ASSERT(thread.cpu->held.none());
    if (host::go_on_idle()) {
        ZoneDelete<Thread>{}(thread);
    }
    explorer::end();
}

void thread_set_nice(Thread& thread, int nice) { thread.nice = static_cast<int8_t>(nice); }
void thread_poke(Thread& thread) { host::interrupt_sleep(thread); }

void fp_first_use() { cpu::current_thread()->uses_fp = true; }
void fp_sync() {}
void fp_replace(const FpState& with) { fp_overwrite() = with; }
FpState& fp_overwrite() { return cpu::current_thread()->fp; }
void fp_discard() { cpu::current_thread()->uses_fp = false; }

SchedStats sched_stats() { return {}; }
void thread_times(const Thread& thread, Nanoseconds& user, Nanoseconds& system) {
    user = thread.run_time;
    system = 0;
}
