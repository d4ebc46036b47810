// The host's scheduler runs nobody: started threads are listed, and the test plays their part. Kernel stacks are
// plain memory.
#include "kernel/sched.h"

#include <cstdlib>
#include <new>

#include "base/failpoint.h"
#include "host.h"
#include "kernel/stack.h"

namespace host {
std::vector<Thread*> started;
thread_local std::optional<FpState> fp_unsaved;
std::function<void(Thread&)> start_observe, entry_observe;
void interrupt_sleep(Thread& thread);
}  // namespace host

void sched_init() {}

void thread_set_entry(Thread& thread, void (*entry)(void*), void* argument) {
    thread.entry = entry;
    thread.entry_argument = argument;
}
void thread_set_user_entry(Thread& thread) {
    if (host::entry_observe) {
        host::entry_observe(thread);
    }
}

void thread_start(Thread& thread) {
    ASSERT(thread.state == ThreadState::Waiting);
    if (host::start_observe) {
        host::start_observe(thread);
    }
    thread.state = ThreadState::Ready;
    host::started.push_back(&thread);
}
void thread_start(ZoneOwned<Thread>&& thread) { thread_start(*thread.release()); }

Result<> kernel_thread_start(const char* name, void (*entry)(void*), void* argument) {
    auto thread = TRY(thread_create(name));
    thread_set_entry(*thread, entry, argument);
    thread_start(std::move(thread));
    return {};
}

void yield() { host::yield_core(); }
void reschedule() {}
void thread_exit() { throw host::ThreadExited{}; }
void thread_set_nice(Thread& thread, int nice) { thread.nice = static_cast<int8_t>(nice); }
void thread_poke(Thread& thread) { host::interrupt_sleep(thread); }

void fp_first_use() { cpu::current_thread()->uses_fp = true; }
void fp_sync() {
    if (host::fp_unsaved) {
        cpu::current_thread()->fp = *std::exchange(host::fp_unsaved, std::nullopt);
    }
}
void fp_replace(const FpState& with) { fp_overwrite() = with; }
FpState& fp_overwrite() {
    host::fp_unsaved.reset();
    cpu::current_thread()->uses_fp = true;
    return cpu::current_thread()->fp;
}
void fp_discard() {
    host::fp_unsaved.reset();
    cpu::current_thread()->uses_fp = false;
}

SchedStats sched_stats() { return {}; }
void thread_times(const Thread& thread, Nanoseconds& user, Nanoseconds& system) {
    user = thread.run_time;
    system = 0;
}

namespace {
std::atomic<size_t> live_stacks{0};
}

Result<KernelStack> KernelStack::allocate() {
    if (failpoint::should_fail()) {
        return Error::NoMemory;
    }
    ++live_stacks;
    return KernelStack(KernAddr(reinterpret_cast<uint64_t>(aligned_alloc(16, kernel_stack_size)) + kernel_stack_size));
}

KernelStack::~KernelStack() {
    if (top_ != KernAddr{}) {
        free(reinterpret_cast<void*>(bottom().value));
        --live_stacks;
    }
}

PageCount stacks_reclaim() { return PageCount(0); }
StackStats stack_stats() { return {.live = live_stacks, .waiting = 0}; }
