// Cores of the explorer's machine, and the threads that come to them.
#include <string>

#include "base/panic.h"
#include "explorer/engine/engine.h"
#include "explorer/explorer.h"
#include "explorer/machine/machine.h"
#include "host/machine/host.h"
#include "kernel/task.h"

namespace host {

void forget_sleepers();
void start_pending();
void forget_pending();

namespace {

Cpu core_of[max_cores];

// The kernel's thread behind a logical thread that has none from the kernel, and the idle thread that it becomes.
struct Slot {
    Here here;
    Thread thread{"explorer"};
};
struct Slots {
    Slot of[explorer::max_threads];
    Thread home{"home"};
};
// Set once. No function-local static: looking at its guard would be a scheduling point, and the engine calls what is here.
Slots* all_slots = nullptr;
Slots& slots() { return *all_slots; }

}  // namespace

Here home;
void (*program)(UserFrame& frame) = nullptr;

Thread& act_as(Thread& thread) {
    Thread& before = *cpu::current_thread();
    thread.cpu = before.cpu;
    here->current = &thread;
    return before;
}

}  // namespace host

namespace explorer::machine {

void new_case() {
    for (host::Slot& slot : host::slots().of) {
        slot.here = host::Here{};
        slot.thread.held_mutexes = {};
        slot.thread.return_work = 0;
        slot.thread.cpu = nullptr;
    }
    host::forget_sleepers();
    host::start_pending();
}

void enter(LogicalThread& thread) {
    host::Slot& slot = host::slots().of[thread.id];
    host::here = &slot.here;
    if (slot.here.current == nullptr) {
        slot.here.current = thread.machine != nullptr ? static_cast<Thread*>(thread.machine) : &slot.thread;
    }
}

void on_core(LogicalThread& thread, int core) {
    host::slots().of[thread.id].here.current->cpu = &host::core_of[core];
}

void left(LogicalThread& thread) {
    const Thread& kernel = *static_cast<Thread*>(host::slots().of[thread.id].here.current);
    if (const SpinLock* lock = kernel.cpu->held.innermost) {
        fail("thread %c ends with the lock \"%s\" held", thread.letter(), lock->name());
    }
    if (const Mutex* mutex = kernel.held_mutexes.innermost) {
        fail("thread %c ends with the mutex \"%s\" held", thread.letter(), mutex->name());
    }
}

std::string name_of(const void* object) {
    const auto at = reinterpret_cast<uintptr_t>(object);
    for (const Cpu& cpu : host::core_of) {
        for (const SpinLock* lock = cpu.held.innermost; lock != nullptr; lock = lock->outer()) {
            const auto start = reinterpret_cast<uintptr_t>(lock);
            if (start <= at && at < start + sizeof(SpinLock)) {
                return lock->name();
            }
        }
    }
    return "";
}

void describe(const LogicalThread& thread, std::string& text) {
    const auto* kernel = static_cast<const Thread*>(host::slots().of[thread.id].here.current);
    if (kernel == nullptr) {
        return;
    }
    if (thread.core >= 0) {
        const SpinLock* innermost = host::core_of[thread.core].held.innermost;
        for (const SpinLock* lock = innermost; lock != nullptr; lock = lock->outer()) {
            text += std::string(lock == innermost ? "; holds " : " inside ") + "\"" + lock->name() + "\"";
        }
    }
    const Mutex* innermost = kernel->held_mutexes.innermost;
    for (const Mutex* mutex = innermost; mutex != nullptr; mutex = mutex->outer()) {
        text += std::string(mutex == innermost ? "; has " : " inside ") + "\"" + mutex->name() + "\"";
    }
}

Memory ram() { return {host::arena, host::ram_bytes}; }

}  // namespace explorer::machine

namespace cpu {

void set_current_thread(Thread* thread) { host::act_as(*thread); }
void switch_context(KernelContext&, KernelContext&) { panic("tests/explorer: there is no switching of contexts here"); }
void prepare_context(KernelContext&, uint64_t, void (*)(void*), void*) {}

void enter_user(UserFrame* frame) {
    cpu::restore_interrupts(true);
    if (host::program == nullptr) {
        panic("tests/explorer: a thread enters its program, and the case has none");
    }
    host::program(*frame);
    panic("tests/explorer: a program came to its end without exit");
}

void wait_for_interrupt() { explorer::yield("wait for an interrupt"); }
void interrupt_other(unsigned) {}

}  // namespace cpu

extern "C" {
void fp_save(FpState*) {}
void fp_load(const FpState*) {}
void fp_enable() {}
void fp_disable() {}
}

namespace host {

// The calling logical thread goes on without its kernel thread; false if it has only the explorer's.
bool go_on_idle() {
    Slot& slot = slots().of[explorer::self().id];
    if (here->current == &slot.thread) {
        return false;
    }
    slot.thread.cpu = here->current->cpu;
    here->current = &slot.thread;
    return true;
}

void make_home() {
    for (unsigned id = 0; id < max_cores; ++id) {
        core_of[id].id = id;
    }
    forget_sleepers();
    forget_pending();
    all_slots = new Slots;
    home.current = &slots().home;
    slots().home.cpu = &core_of[0];
}

}  // namespace host
