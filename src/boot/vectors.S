// The doors: sixteen vectors (ARM ARM D1.4.1), what each saves, which function of kernel/entry/trap.h it calls.
//
// From a program: the UserFrame goes to the top of the thread's kernel stack. From the kernel: a KernelFrame and a
// frame record, so that a backtrace goes on through the exception, are pushed where the stack pointer is. SP_EL0 is
// scratch while the kernel runs: the program's value is in its UserFrame.
#include "boot/frame_offsets.h"

// x2-x29 to the frame at sp. x0 and x1 go with the step of the stack pointer where that is the same instruction.
.macro save_general
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
.endm

.macro load_general
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
.endm

// From a program. x29 becomes 0: a backtrace of the kernel ends here.
.macro save_user_frame
    stp     x0, x1, [sp, #-FRAME_SIZE]!
    save_general
    mrs     x21, sp_el0
    mrs     x22, elr_el1
    mrs     x23, spsr_el1
    stp     x30, x21, [sp, #FRAME_X30]
    stp     x22, x23, [sp, #FRAME_PC]
    mov     x29, xzr
.endm

// From the kernel. A stack pointer with STACK_GOOD_BIT clear is in a guard: nothing can be pushed there.
.macro save_kernel_frame
    sub     sp, sp, #KERNEL_FRAME_SPACE
    msr     sp_el0, x0
    mov     x0, sp
    tbz     x0, #STACK_GOOD_BIT, stack_overflow
    mrs     x0, sp_el0
    stp     x0, x1, [sp]
    save_general
    add     x21, sp, #KERNEL_FRAME_SPACE
    mrs     x22, elr_el1
    mrs     x23, spsr_el1
    stp     x30, x21, [sp, #FRAME_X30]
    stp     x22, x23, [sp, #FRAME_PC]
    stp     x29, x22, [sp, #FRAME_SIZE]
    add     x29, sp, #FRAME_SIZE
.endm

.macro vector name
    .balign 128
    .type \name, %function
\name:
.endm

// A vector that nothing of ours can take: AArch32 programs, SP_EL0 inside the kernel.
.macro impossible name, what
    vector  \name
    save_kernel_frame
    mov     x3, #\what
    b       unexpected
.endm

.section .vectors, "ax"
.balign 2048
.globl exception_vectors
exception_vectors:

// The kernel, on SP_EL0.
impossible kernel_sp0_synchronous, 0
impossible kernel_sp0_irq, 1
impossible kernel_sp0_fiq, 2
impossible kernel_sp0_error, 3

// The kernel, on its stack.
vector kernel_synchronous
    save_kernel_frame
    mov     x0, sp
    mrs     x1, esr_el1
    mrs     x2, far_el1
    bl      handle_kernel_fault
    b       return_to_kernel

vector kernel_irq
    save_kernel_frame
    mov     x0, sp
    bl      handle_kernel_interrupt
    b       return_to_kernel

vector kernel_fiq
    save_kernel_frame
    mov     x0, sp
    bl      handle_stop_request
    b       return_to_kernel

vector kernel_error
    save_kernel_frame
    mov     x0, sp
    mrs     x1, esr_el1
    bl      handle_system_error
    b       return_to_kernel

// A program.
vector user_synchronous
    save_user_frame
    mrs     x1, esr_el1
    lsr     x2, x1, #26             // exception class
    cmp     x2, #0x15               // SVC from AArch64
    mov     x0, sp
    b.ne    user_fault
    bl      handle_system_call
    b       return_to_user

vector user_irq
    save_user_frame
    mov     x0, sp
    bl      handle_user_interrupt
    b       return_to_user

vector user_fiq
    save_user_frame
    mov     x0, sp
    bl      handle_stop_request
    b       return_to_user

vector user_error
    save_user_frame
    mov     x0, sp
    mrs     x1, esr_el1
    bl      handle_system_error
    b       return_to_user

// A program in AArch32 state.
impossible user32_synchronous, 4
impossible user32_irq, 5
impossible user32_fiq, 6
impossible user32_error, 7

// void leave_to_user(UserFrame* frame): frame is the top of the kernel stack, which is empty afterwards.
.balign 64
.globl leave_to_user
.type leave_to_user, %function
leave_to_user:
    mov     sp, x0
    b       return_to_user

// Behind the table: near enough for the test branch of save_kernel_frame.
.balign 64
.type user_fault, %function
user_fault:
    mrs     x2, far_el1
    bl      handle_user_fault
    // fall through
.type return_to_user, %function
return_to_user:
    ldp     x22, x23, [sp, #FRAME_PC]
    ldp     x30, x21, [sp, #FRAME_X30]
    msr     elr_el1, x22
    msr     spsr_el1, x23
    msr     sp_el0, x21
    load_general
    ldp     x0, x1, [sp], #FRAME_SIZE
    eret
.size return_to_user, . - return_to_user

.balign 64
.type return_to_kernel, %function
return_to_kernel:
    ldp     x22, x23, [sp, #FRAME_PC]
    ldr     x30, [sp, #FRAME_X30]
    msr     elr_el1, x22
    msr     spsr_el1, x23
    load_general
    ldp     x0, x1, [sp], #KERNEL_FRAME_SPACE
    eret
.size return_to_kernel, . - return_to_kernel

.type unexpected, %function
unexpected:
    mov     x0, sp
    mrs     x1, esr_el1
    mrs     x2, far_el1
    bl      handle_unexpected
    brk     #0

// The stack of the interrupted code is full. x0 is in SP_EL0, sp is KERNEL_FRAME_SPACE below where it was. The frame
// goes to the core's emergency stack; TPIDRRO_EL0, which programs do not use, carries the stack pointer over.
.type stack_overflow, %function
stack_overflow:
    msr     tpidrro_el0, x0
    mrs     x0, mpidr_el1
    and     x0, x0, #3
    add     x0, x0, #4 + 1          // behind the slots of the boot stacks; the end of the slot
    lsl     x0, x0, #STACK_SLOT_SHIFT
    mov     sp, x0
    adrp    x0, stack_slots
    add     sp, sp, x0
    mrs     x0, sp_el0
    sub     sp, sp, #KERNEL_FRAME_SPACE
    stp     x0, x1, [sp]
    save_general
    mrs     x21, tpidrro_el0
    add     x21, x21, #KERNEL_FRAME_SPACE
    mrs     x22, elr_el1
    mrs     x23, spsr_el1
    stp     x30, x21, [sp, #FRAME_X30]
    stp     x22, x23, [sp, #FRAME_PC]
    stp     x29, x22, [sp, #FRAME_SIZE]
    add     x29, sp, #FRAME_SIZE
    mov     x0, sp
    mrs     x1, esr_el1
    mrs     x2, far_el1
    bl      handle_stack_overflow
    brk     #0
.size stack_overflow, . - stack_overflow


.globl exception_vectors_end
exception_vectors_end:

.section .note.GNU-stack, "", %progbits
