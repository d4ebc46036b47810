// Changing hands: from thread to thread, into a new thread, floating-point registers in and out.
#include "boot/frame_offsets.h"

.text

// void switch_context_registers(KernelContext* from, KernelContext* to)
// Only what a called function must preserve (AAPCS64 6.1.1): the compiler has saved the rest. Returns as `to`.
.balign 16
.globl switch_context_registers
.type switch_context_registers, %function
switch_context_registers:
    mov     x2, sp
    stp     x19, x20, [x0, #CONTEXT_X19]
    stp     x21, x22, [x0, #CONTEXT_X19 + 16]
    stp     x23, x24, [x0, #CONTEXT_X19 + 32]
    stp     x25, x26, [x0, #CONTEXT_X19 + 48]
    stp     x27, x28, [x0, #CONTEXT_X19 + 64]
    stp     x29, x30, [x0, #CONTEXT_FP]
    str     x2, [x0, #CONTEXT_STACK]
    ldp     x19, x20, [x1, #CONTEXT_X19]
    ldp     x21, x22, [x1, #CONTEXT_X19 + 16]
    ldp     x23, x24, [x1, #CONTEXT_X19 + 32]
    ldp     x25, x26, [x1, #CONTEXT_X19 + 48]
    ldp     x27, x28, [x1, #CONTEXT_X19 + 64]
    ldp     x29, x30, [x1, #CONTEXT_FP]
    ldr     x2, [x1, #CONTEXT_STACK]
    mov     sp, x2
    ret
.size switch_context_registers, . - switch_context_registers

// Where a context of cpu::prepare_context begins: entry in x19, its argument in x20. The frame pointer is 0: a
// backtrace ends here.
.balign 16
.globl thread_start_trampoline
.type thread_start_trampoline, %function
thread_start_trampoline:
    mov     x29, xzr
    mov     x0, x20
    blr     x19
    brk     #0                      // entry never returns
.size thread_start_trampoline, . - thread_start_trampoline

.arch_extension fp
.arch_extension simd

// void fp_save(FpState*), void fp_load(const FpState*)
.balign 16
.globl fp_save
.type fp_save, %function
fp_save:
    stp     q0, q1, [x0]
    stp     q2, q3, [x0, #32]
    stp     q4, q5, [x0, #64]
    stp     q6, q7, [x0, #96]
    stp     q8, q9, [x0, #128]
    stp     q10, q11, [x0, #160]
    stp     q12, q13, [x0, #192]
    stp     q14, q15, [x0, #224]
    stp     q16, q17, [x0, #256]
    stp     q18, q19, [x0, #288]
    stp     q20, q21, [x0, #320]
    stp     q22, q23, [x0, #352]
    stp     q24, q25, [x0, #384]
    stp     q26, q27, [x0, #416]
    stp     q28, q29, [x0, #448]
    stp     q30, q31, [x0, #480]
    mrs     x1, fpsr
    mrs     x2, fpcr
    str     w1, [x0, #FP_STATUS]
    str     w2, [x0, #FP_STATUS + 4]
    ret
.size fp_save, . - fp_save

.balign 16
.globl fp_load
.type fp_load, %function
fp_load:
    ldp     q0, q1, [x0]
    ldp     q2, q3, [x0, #32]
    ldp     q4, q5, [x0, #64]
    ldp     q6, q7, [x0, #96]
    ldp     q8, q9, [x0, #128]
    ldp     q10, q11, [x0, #160]
    ldp     q12, q13, [x0, #192]
    ldp     q14, q15, [x0, #224]
    ldp     q16, q17, [x0, #256]
    ldp     q18, q19, [x0, #288]
    ldp     q20, q21, [x0, #320]
    ldp     q22, q23, [x0, #352]
    ldp     q24, q25, [x0, #384]
    ldp     q26, q27, [x0, #416]
    ldp     q28, q29, [x0, #448]
    ldp     q30, q31, [x0, #480]
    ldr     w1, [x0, #FP_STATUS]
    ldr     w2, [x0, #FP_STATUS + 4]
    msr     fpsr, x1
    msr     fpcr, x2
    ret
.size fp_load, . - fp_load

// void fp_enable(), void fp_disable(): CPACR_EL1.FPEN (ARM ARM D17.2.33) 0b11, nothing traps, or 0b00, everything.
.globl fp_enable
.type fp_enable, %function
fp_enable:
    mov     x0, #3 << 20
    msr     cpacr_el1, x0
    isb
    ret
.size fp_enable, . - fp_enable

.globl fp_disable
.type fp_disable, %function
fp_disable:
    msr     cpacr_el1, xzr
    isb
    ret
.size fp_disable, . - fp_disable

.section .note.GNU-stack, "", %progbits
