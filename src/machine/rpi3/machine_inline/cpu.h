// The hot halves of machine/cpu.h on a Cortex-A53.
#pragma once

#include "machine/cpu.h"

// boot/switch.S.
extern "C" {
void switch_context_registers(KernelContext* from, KernelContext* to);
[[noreturn]] void leave_to_user(UserFrame* frame);
void thread_start_trampoline();
}

namespace cpu {

// DAIF (ARM ARM C5.2.2): bit 7 masks IRQs. FIQs stay open: they stop this core when another one panics.
inline constexpr uint64_t irq_masked = 1u << 7;

inline bool interrupts_on() {
    uint64_t daif;
    asm volatile("mrs %0, daif" : "=r"(daif)::"memory");
    return (daif & irq_masked) == 0;
}

inline bool disable_interrupts() {
    const bool were_on = interrupts_on();
    asm volatile("msr daifset, #2" ::: "memory");
    return were_on;
}

inline void forbid_interrupts() { asm volatile("msr daifset, #2" ::: "memory"); }

inline void restore_interrupts(bool were_on) {
    if (were_on) {
        asm volatile("msr daifclr, #7" ::: "memory");   // an exception masked FIQs and SErrors too: they open again
    }
}

inline void relax() { asm volatile("yield" ::: "memory"); }

inline Thread* current_thread() {
    Thread* thread;
    asm volatile("mrs %0, tpidr_el1" : "=r"(thread));
    return thread;
}

inline void set_current_thread(Thread* thread) { asm volatile("msr tpidr_el1, %0" ::"r"(thread) : "memory"); }

inline ThreadBase& current_base() {
    ThreadBase* base;
    asm volatile("mrs %0, tpidr_el1" : "=r"(base));
    return *base;
}

inline uint64_t user_thread_pointer() {
    uint64_t value;
    asm volatile("mrs %0, tpidr_el0" : "=r"(value));
    return value;
}

inline void set_user_thread_pointer(uint64_t value) { asm volatile("msr tpidr_el0, %0" ::"r"(value)); }

inline void switch_context(KernelContext& from, KernelContext& to) { switch_context_registers(&from, &to); }

inline void prepare_context(KernelContext& context, uint64_t stack_top, void (*entry)(void*), void* argument) {
    context = {};
    context.x19_to_x28[0] = reinterpret_cast<uint64_t>(entry);
    context.x19_to_x28[1] = reinterpret_cast<uint64_t>(argument);
    context.link = reinterpret_cast<uint64_t>(&thread_start_trampoline);
    context.stack = stack_top;
}

inline void enter_user(UserFrame* frame) { leave_to_user(frame); }

inline void send_event() { asm volatile("dsb sy\n\tsev" ::: "memory"); }

inline void wait_for_interrupt() { asm volatile("dsb sy\n\twfi" ::: "memory"); }

}  // namespace cpu
