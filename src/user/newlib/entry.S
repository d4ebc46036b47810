// The calls that no compiled function can make: vfork, the return from a signal handler, a thread's beginning.
// The numbers are those of abi/forklore.h (checked in check_values.cpp).
#define SYS_vfork 2
#define SYS_sigreturn 34

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

// A handler returns here, sp at the frame that the kernel made.
    .section .text.forklore_sigreturn, "ax"
    .globl forklore_sigreturn
    .type forklore_sigreturn, %function
forklore_sigreturn:
    mov     x8, #SYS_sigreturn
    svc     #0
    brk     #0
    .size forklore_sigreturn, . - forklore_sigreturn

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
