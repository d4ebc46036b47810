// The doors of the kernel as boot/vectors.S sees them: one function for each way in.
//
// Each is called with interrupts off, on the kernel stack of the current thread, and returns with interrupts
// off when the registers in its frame are to be restored.
#pragma once

#include "machine/user_frame.h"

// The registers of the kernel at the moment of an exception taken from EL1.
struct KernelFrame {
    uint64_t x[31];
    uint64_t sp, pc, pstate;
};
static_assert(sizeof(KernelFrame) == sizeof(UserFrame));

extern "C" {

void handle_system_call(UserFrame* frame);                                      // svc #0 from EL0
void handle_user_fault(UserFrame* frame, uint64_t syndrome, uint64_t address);  // any other synchronous exception from EL0: ESR_EL1, FAR_EL1
void handle_user_interrupt(UserFrame* frame);
void handle_kernel_fault(KernelFrame* frame, uint64_t syndrome, uint64_t address);
void handle_kernel_interrupt(KernelFrame* frame);
void handle_system_error(KernelFrame* frame, uint64_t syndrome);                // SError from either level
void handle_stack_overflow(KernelFrame* frame, uint64_t syndrome, uint64_t address);   // on the core's emergency stack

}

// Before a program runs: ends, stops, reschedules or signals the current thread as it was asked to. Returns with interrupts
// off, so that nothing asked later is missed.
void look_at_return_work(UserFrame& frame);
// The same, and then the program with the registers in `frame`, which lies at the top of the kernel stack.
[[noreturn]] void return_to_program(UserFrame& frame);
