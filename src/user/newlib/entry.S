// What no compiled function can do: vfork, running a signal handler and going back, a thread's beginning.
// The numbers are those of abi/forklore.h (checked in check_values.cpp).
#define SYS_vfork 2
#define SYS_sigreturn 34
// Of a ForkloreSignalFrame.
#define FRAME_HAS_FP 308
#define FRAME_Q 320

// pid_t vfork(): the child returns first, on the same stack, and may overwrite everything below the caller's frame.
// So nothing is kept on the stack: the return address stays in x30, which the kernel saves for the parent.
    .section .text.vfork, "ax"
    .globl vfork
    .type vfork, %function
vfork:
    mov     x8, #SYS_vfork
    svc     #0
    cmn     x0, #4095
    b.hs    1f
    ret
1:  neg     w0, w0
    b       forklore_fail       // sets errno, returns -1 to our caller
    .size vfork, . - vfork

// Runs the handler in x3, its arguments in x0 to x2, with sp at the ForkloreSignalFrame that the kernel made, and goes on
// where the signal came. A handler may use the floating-point registers as any function: what the frame has room for is kept
// there meanwhile.
    .section .text.forklore_run_handler, "ax"
    .globl forklore_run_handler
    .type forklore_run_handler, %function
forklore_run_handler:
    mov     w4, #1
    mrs     x5, fpsr
    mrs     x6, fpcr
    str     w4, [sp, #FRAME_HAS_FP]
    stp     q0, q1, [sp, #FRAME_Q]
    stp     q2, q3, [sp, #FRAME_Q + 32]
    stp     q4, q5, [sp, #FRAME_Q + 64]
    stp     q6, q7, [sp, #FRAME_Q + 96]
    stp     q8, q9, [sp, #FRAME_Q + 128]
    stp     q10, q11, [sp, #FRAME_Q + 160]
    stp     q12, q13, [sp, #FRAME_Q + 192]
    stp     q14, q15, [sp, #FRAME_Q + 224]
    stp     q16, q17, [sp, #FRAME_Q + 256]
    stp     q18, q19, [sp, #FRAME_Q + 288]
    stp     q20, q21, [sp, #FRAME_Q + 320]
    stp     q22, q23, [sp, #FRAME_Q + 352]
    stp     q24, q25, [sp, #FRAME_Q + 384]
    stp     q26, q27, [sp, #FRAME_Q + 416]
    stp     q28, q29, [sp, #FRAME_Q + 448]
    stp     q30, q31, [sp, #FRAME_Q + 480]
    str     w5, [sp, #FRAME_Q + 512]
    str     w6, [sp, #FRAME_Q + 516]
    blr     x3
    ldr     w5, [sp, #FRAME_Q + 512]
    ldr     w6, [sp, #FRAME_Q + 516]
    ldp     q0, q1, [sp, #FRAME_Q]
    ldp     q2, q3, [sp, #FRAME_Q + 32]
    ldp     q4, q5, [sp, #FRAME_Q + 64]
    ldp     q6, q7, [sp, #FRAME_Q + 96]
    ldp     q8, q9, [sp, #FRAME_Q + 128]
    ldp     q10, q11, [sp, #FRAME_Q + 160]
    ldp     q12, q13, [sp, #FRAME_Q + 192]
    ldp     q14, q15, [sp, #FRAME_Q + 224]
    ldp     q16, q17, [sp, #FRAME_Q + 256]
    ldp     q18, q19, [sp, #FRAME_Q + 288]
    ldp     q20, q21, [sp, #FRAME_Q + 320]
    ldp     q22, q23, [sp, #FRAME_Q + 352]
    ldp     q24, q25, [sp, #FRAME_Q + 384]
    ldp     q26, q27, [sp, #FRAME_Q + 416]
    ldp     q28, q29, [sp, #FRAME_Q + 448]
    ldp     q30, q31, [sp, #FRAME_Q + 480]
    msr     fpsr, x5
    msr     fpcr, x6
    mov     x8, #SYS_sigreturn
    svc     #0
    brk     #0
    .size forklore_run_handler, . - forklore_run_handler

// A new thread: x0 is its descriptor. The outermost frame of its stack.
    .section .text.forklore_thread_entry, "ax"
    .globl forklore_thread_entry
    .type forklore_thread_entry, %function
forklore_thread_entry:
    mov     x29, xzr
    mov     x30, xzr
    b       forklore_thread_main
    .size forklore_thread_entry, . - forklore_thread_entry

    .section .note.GNU-stack, "", %progbits
