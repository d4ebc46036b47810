// Where a program begins. The kernel enters with sp at argc, argv, envp and the auxiliary vector.
    .section .text.start, "ax"
    .weak _start                // a program may begin by itself (programs/tiny.S)
    .type _start, %function
_start:
    mov     x29, xzr            // the outermost frame: backtraces end here
    mov     x30, xzr
    mov     x0, sp
    b       forklore_start
    .size _start, . - _start
    .section .note.GNU-stack, "", %progbits
