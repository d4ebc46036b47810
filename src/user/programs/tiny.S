// The smallest program: exits with 0. For the benchmark.
    .globl _start
_start:
    mov     x8, #0              // SYS_exit
    mov     x0, #0
    svc     #0
    brk     #0
    .section .note.GNU-stack, "", %progbits
