// The processor core under our feet.
//
// Rule of the house: interrupts enabled means preemptible, and preemptible means that the next line may
// run on another core. Data of one core is touched only with interrupts off.
#pragma once

#include <cstdint>

#include "machine/lock_rank.h"

inline constexpr unsigned max_cores = 4;

struct UserFrame;
class Mutex;
class SpinLock;
class Thread;

// The spin locks that a core holds: each knows the one that is held outside it.
struct HeldLocks {
    SpinLock* innermost;

    bool none() const { return innermost == nullptr; }
    bool only(const SpinLock& lock) const;
};

// The mutexes that a thread holds, likewise.
struct HeldMutexes {
    Mutex* innermost;

    bool none() const { return innermost == nullptr; }
};

// One core. The kernel's scheduler keeps more of it in arrays indexed by `id`.
struct Cpu {
    unsigned id = 0;
    HeldLocks held{};
};

// What switch_context saves: the callee-saved registers (AAPCS64 6.1.1) and the stack.
struct KernelContext {
    uint64_t x19_to_x28[10];
    uint64_t frame_pointer;
    uint64_t link;
    uint64_t stack;
};

// The first part of every Thread, known to assembly and to the locks. TPIDR_EL1 points at it.
struct ThreadBase {
    Cpu* cpu = nullptr;         // the core it runs on, or ran on last
    KernelContext context{};
    HeldMutexes held_mutexes{};
    uint32_t tid = 0;           // rises by one for every thread ever made; 0: a core's context before it has a thread
};

namespace cpu {

// True if interrupts were on. Nests by keeping the returned value.
[[nodiscard]] bool disable_interrupts();
void restore_interrupts(bool were_on);
void forbid_interrupts();               // off, for whoever need not know whether they were on
bool interrupts_on();

void relax();                           // in a loop that waits for another core
Thread* current_thread();
void set_current_thread(Thread* thread);
ThreadBase& current_base();             // the same, as far as this level knows it
inline Cpu& current();                  // only with interrupts off

// Suspends `from`, resumes `to`; returns when somebody resumes `from`. Interrupts off, no lock held but
// those that `to` will release.
void switch_context(KernelContext& from, KernelContext& to);
// Makes `context` start at `entry(argument)` on the stack that ends at `stack_top`; entry never returns.
void prepare_context(KernelContext& context, uint64_t stack_top, void (*entry)(void*), void* argument);
// Leaves the kernel for the program whose registers are in `frame`, which lies at the top of the kernel
// stack. Interrupts off.
[[noreturn]] void enter_user(UserFrame* frame);

// The program's own thread pointer (TPIDR_EL0), which it may write at any time.
uint64_t user_thread_pointer();
void set_user_thread_pointer(uint64_t value);

void wait_for_interrupt();              // with interrupts off; returns when one is pending
void interrupt_other(unsigned id);      // makes core `id` take an inter-processor interrupt
void send_event();                      // wakes cores from WFE, once all that was stored or cleaned before has arrived
// What was stored at `start` is what all cores fetch from now on, at whatever address they have it (ARM ARM B2.4.4).
void instructions_changed(const void* start, uint64_t bytes);

}  // namespace cpu

inline Cpu& cpu::current() { return *current_base().cpu; }

// This core's own of what there is for each. Only with interrupts off. The pointer is opaque to the compiler, which would else
// work out the address of every member from the start of the array.
template <typename T>
T& of_this_core(T (&each)[max_cores]) {
    T* mine = &each[cpu::current().id];
    asm("" : "+r"(mine));
    return *mine;
}

#include "machine_inline/cpu.h"     // the machine's own inline bodies, found on the include path
