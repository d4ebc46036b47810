// Cores of the host: each std::thread that comes near the kernel becomes one, with a Thread of its own.
#include <memory>
#include <mutex>
#include <thread>

#include "base/panic.h"
#include "host.h"
#include "kernel/thread.h"

namespace host {
namespace {

std::mutex ids_lock;
bool taken[max_cores] = {};

unsigned take_id() {
    std::lock_guard guard(ids_lock);
    for (unsigned id = 0; id < max_cores; ++id) {
        if (!taken[id]) {
            taken[id] = true;
            return id;
        }
    }
    panic("tests/host: more threads than cores");
}

// One std::thread as a core. Ends with the std::thread.
struct HostCore {
    Cpu cpu{};
    Thread thread{"host"};

    HostCore() {
        cpu.id = take_id();
        thread.cpu = &cpu;
        thread.state = ThreadState::Running;
    }
    ~HostCore() {
        current = nullptr;
        std::lock_guard guard(ids_lock);
        taken[cpu.id] = false;
    }
};

thread_local std::unique_ptr<HostCore> core;

}  // namespace

unsigned interrupts_sent = 0;

ThreadBase& become_a_core() {
    core = std::make_unique<HostCore>();
    current = &core->thread;
    return *current;
}

void yield_core() { std::this_thread::yield(); }

Thread& set_current(Thread& thread) {
    Thread& before = *cpu::current_thread();
    thread.cpu = before.cpu;
    thread.state = ThreadState::Running;
    current = &thread;
    return before;
}

}  // namespace host

namespace cpu {

void set_current_thread(Thread* thread) { host::set_current(*thread); }

void switch_context(KernelContext&, KernelContext&) { panic("tests/host: there is no switching of contexts here"); }

void prepare_context(KernelContext& context, uint64_t stack_top, void (*entry)(void*), void* argument) {
    context = {};
    context.x19_to_x28[0] = reinterpret_cast<uint64_t>(entry);
    context.x19_to_x28[1] = reinterpret_cast<uint64_t>(argument);
    context.stack = stack_top;
}

void enter_user(UserFrame* frame) { throw host::EnteredUser{*frame}; }
void wait_for_interrupt() { host::yield_core(); }
void interrupt_other(unsigned) { ++host::interrupts_sent; }

}  // namespace cpu

extern "C" {
void fp_save(FpState*) {}
void fp_load(const FpState*) {}
void fp_enable() {}
void fp_disable() {}
}
