// The first steps of a thread.
#include "kernel/core.h"

namespace {

void thread_main(void* argument) {
    finish_switch();
    auto& self = *static_cast<Thread*>(argument);
    cpu::restore_interrupts(true);
    self.entry(self.entry_argument);
    thread_exit();
}

void user_thread_main(void* argument) {
    finish_switch();
    UserFrame& frame = static_cast<Thread*>(argument)->user_frame();
    if (before_first_return != nullptr) {
        before_first_return(frame);
    }
    cpu::enter_user(&frame);
}

}  // namespace

void thread_set_entry(Thread& thread, void (*entry)(void*), void* argument) {
    thread.entry = entry;
    thread.entry_argument = argument;
    // Below the place of the program's registers: the thread may become a program's.
    cpu::prepare_context(thread.context, reinterpret_cast<uint64_t>(&thread.user_frame()), thread_main, &thread);
}

void thread_set_user_entry(Thread& thread) {
    cpu::prepare_context(thread.context, reinterpret_cast<uint64_t>(&thread.user_frame()), user_thread_main, &thread);
}

void thread_start(Thread& thread) {
    InterruptGuard guard;
    // The new thread lives on half of what its maker has left: making threads gives nobody more than its share.
    Thread& maker = *cpu::current_thread();
    thread.slice_left = maker.slice_left / 2;
    maker.slice_left -= thread.slice_left;
    ASSERT(thread.state.load(std::memory_order_relaxed) == ThreadState::Waiting);
    thread.state.store(ThreadState::Ready, std::memory_order_relaxed);
    make_ready(thread);
}

void thread_start(ZoneOwned<Thread>&& thread) { thread_start(*thread.release()); }

Result<> kernel_thread_start(const char* name, void (*entry)(void*), void* argument) {
    auto thread = TRY(thread_create(name));
    thread_set_entry(*thread, entry, argument);
    thread_start(std::move(thread));
    return {};
}

void thread_set_nice(Thread& thread, int nice) {
    const int level = nice < -20 ? -20 : nice > 19 ? 19 : nice;
    thread.nice.store(static_cast<int8_t>(level), std::memory_order_relaxed);     // from its next slice on
}
