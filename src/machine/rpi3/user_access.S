// The copies of user_access.cpp: unprivileged loads and stores, so that the MMU judges as if the program had made
// them (ARM ARM C3.2.5). Nothing here uses the stack: a fault anywhere between user_access_begin and user_access_end
// that can not be resolved continues at user_access_failed, which answers the caller.
//
// Each returns 0 in x0 when all was copied; user_access_failed returns -1.

.text
.balign 64
.globl user_access_begin
user_access_begin:

// int64_t user_load_bytes(void* to, uint64_t from, size_t bytes)
.globl user_load_bytes
.type user_load_bytes, %function
user_load_bytes:
    subs    x2, x2, #64
    b.lo    2f
1:  ldtr    x3, [x1]
    ldtr    x4, [x1, #8]
    ldtr    x5, [x1, #16]
    ldtr    x6, [x1, #24]
    ldtr    x7, [x1, #32]
    ldtr    x8, [x1, #40]
    ldtr    x9, [x1, #48]
    ldtr    x10, [x1, #56]
    add     x1, x1, #64
    stp     x3, x4, [x0], #64
    stp     x5, x6, [x0, #-48]
    stp     x7, x8, [x0, #-32]
    stp     x9, x10, [x0, #-16]
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f              // the low six bits of x2 are what is left
    ldtr    x3, [x1]
    ldtr    x4, [x1, #8]
    ldtr    x5, [x1, #16]
    ldtr    x6, [x1, #24]
    add     x1, x1, #32
    stp     x3, x4, [x0], #32
    stp     x5, x6, [x0, #-16]
3:  tbz     x2, #4, 4f
    ldtr    x3, [x1]
    ldtr    x4, [x1, #8]
    add     x1, x1, #16
    stp     x3, x4, [x0], #16
4:  tbz     x2, #3, 5f
    ldtr    x3, [x1]
    add     x1, x1, #8
    str     x3, [x0], #8
5:  tbz     x2, #2, 6f
    ldtr    w3, [x1]
    add     x1, x1, #4
    str     w3, [x0], #4
6:  tbz     x2, #1, 7f
    ldtrh   w3, [x1]
    add     x1, x1, #2
    strh    w3, [x0], #2
7:  tbz     x2, #0, 8f
    ldtrb   w3, [x1]
    strb    w3, [x0]
8:  mov     x0, #0
    ret
.size user_load_bytes, . - user_load_bytes

// int64_t user_store_bytes(uint64_t to, const void* from, size_t bytes)
.globl user_store_bytes
.type user_store_bytes, %function
user_store_bytes:
    subs    x2, x2, #64
    b.lo    2f
1:  ldp     x3, x4, [x1], #64
    ldp     x5, x6, [x1, #-48]
    ldp     x7, x8, [x1, #-32]
    ldp     x9, x10, [x1, #-16]
    sttr    x3, [x0]
    sttr    x4, [x0, #8]
    sttr    x5, [x0, #16]
    sttr    x6, [x0, #24]
    sttr    x7, [x0, #32]
    sttr    x8, [x0, #40]
    sttr    x9, [x0, #48]
    sttr    x10, [x0, #56]
    add     x0, x0, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    ldp     x3, x4, [x1], #32
    ldp     x5, x6, [x1, #-16]
    sttr    x3, [x0]
    sttr    x4, [x0, #8]
    sttr    x5, [x0, #16]
    sttr    x6, [x0, #24]
    add     x0, x0, #32
3:  tbz     x2, #4, 4f
    ldp     x3, x4, [x1], #16
    sttr    x3, [x0]
    sttr    x4, [x0, #8]
    add     x0, x0, #16
4:  tbz     x2, #3, 5f
    ldr     x3, [x1], #8
    sttr    x3, [x0]
    add     x0, x0, #8
5:  tbz     x2, #2, 6f
    ldr     w3, [x1], #4
    sttr    w3, [x0]
    add     x0, x0, #4
6:  tbz     x2, #1, 7f
    ldrh    w3, [x1], #2
    sttrh   w3, [x0]
    add     x0, x0, #2
7:  tbz     x2, #0, 8f
    ldrb    w3, [x1]
    sttrb   w3, [x0]
8:  mov     x0, #0
    ret
.size user_store_bytes, . - user_store_bytes

// int64_t user_load_string(char* to, uint64_t from, size_t capacity): the length without the NUL, -2 if there is
// none in the first `capacity` bytes. Never reads beyond the NUL's aligned word, hence not beyond its page.
.globl user_load_string
.type user_load_string, %function
user_load_string:
    mov     x7, x1
    mov     x9, #0x0101010101010101
1:  cbz     x2, 8f
    tst     x1, #7
    b.ne    2f
    cmp     x2, #8
    b.hs    4f
2:  ldtrb   w3, [x1]
    strb    w3, [x0], #1
    add     x1, x1, #1
    sub     x2, x2, #1
    cbnz    w3, 1b
    sub     x0, x1, x7
    sub     x0, x0, #1
    ret
4:  ldtr    x3, [x1]                // a whole aligned word; behind a NUL in it there is room for the rest
    sub     x4, x3, x9
    orr     x5, x3, #0x7f7f7f7f7f7f7f7f
    bics    x4, x4, x5              // bit 7 of the first byte that is 0, and of no byte before it
    str     x3, [x0], #8
    b.ne    5f
    add     x1, x1, #8
    sub     x2, x2, #8
    b       1b
5:  rbit    x4, x4
    clz     x4, x4
    sub     x0, x1, x7
    add     x0, x0, x4, lsr #3
    ret
8:  mov     x0, #-2
    ret
.size user_load_string, . - user_load_string

// int64_t user_load_word(uint32_t* to, uint64_t from): one single-copy atomic load.
.globl user_load_word
.type user_load_word, %function
user_load_word:
    ldtr    w3, [x1]
    str     w3, [x0]
    mov     x0, #0
    ret
.size user_load_word, . - user_load_word

.globl user_access_end
user_access_end:

.globl user_access_failed
.type user_access_failed, %function
user_access_failed:
    mov     x0, #-1
    ret
.size user_access_failed, . - user_access_failed

.section .note.GNU-stack, "", %progbits
