// memcpy, memmove, memset, memcmp, memchr, strlen: what compiled C++ calls, ram::copy_page, ram::clear_page.
//
// For normal memory with the MMU on: accesses need not be aligned. Never for device registers.

.macro function name
    .section .text.\name, "ax"
    .balign 16
    .globl \name
    .type \name, %function
\name:
.endm
.macro end_function name
    .size \name, . - \name
.endm

// void ram::copy_page(void* to, const void* from): both page aligned, 64 bytes a turn.
function _ZN3ram9copy_pageEPvPKv
    mov     x2, #4096 / 64
1:  ldp     x3, x4, [x1]
    ldp     x5, x6, [x1, #16]
    ldp     x7, x8, [x1, #32]
    ldp     x9, x10, [x1, #48]
    prfm    pldl1strm, [x1, #256]
    add     x1, x1, #64
    subs    x2, x2, #1
    stp     x3, x4, [x0]
    stp     x5, x6, [x0, #16]
    stp     x7, x8, [x0, #32]
    stp     x9, x10, [x0, #48]
    add     x0, x0, #64
    b.ne    1b
    ret
end_function _ZN3ram9copy_pageEPvPKv

// void ram::clear_page(void* page): page aligned. DC ZVA clears a line of 64 bytes without reading it, if DCZID_EL0 (ARM ARM
// D17.2.36) allows it and says that size: DZP 0, BS 4.
function _ZN3ram10clear_pageEPv
    mrs     x1, dczid_el0
    and     x1, x1, #0x1f
    cmp     x1, #4
    b.ne    1f
    .rept   4096 / 64
    dc      zva, x0
    add     x0, x0, #64
    .endr
    ret
1:  add     x2, x0, #4096
2:  stp     xzr, xzr, [x0]
    stp     xzr, xzr, [x0, #16]
    stp     xzr, xzr, [x0, #32]
    stp     xzr, xzr, [x0, #48]
    add     x0, x0, #64
    cmp     x0, x2
    b.ne    2b
    ret
end_function _ZN3ram10clear_pageEPv

// memmove: upward is memcpy's work, which is safe if `to` is below `from` or they do not overlap.
function memmove
    sub     x3, x0, x1
    cmp     x3, x2
    b.lo    copy_down               // from < to < from + n (unsigned)
    // fall through
    .globl memcpy
    .type memcpy, %function
memcpy:
    mov     x12, x0                 // the result; x0 moves
    subs    x2, x2, #64
    b.lo    2f
1:  ldp     x3, x4, [x1]            // all 64 bytes are loaded before one is stored: overlap upward is safe
    ldp     x5, x6, [x1, #16]
    ldp     x7, x8, [x1, #32]
    ldp     x9, x10, [x1, #48]
    add     x1, x1, #64
    stp     x3, x4, [x0]
    stp     x5, x6, [x0, #16]
    stp     x7, x8, [x0, #32]
    stp     x9, x10, [x0, #48]
    add     x0, x0, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f              // the low six bits of x2 are what is left
    ldp     x3, x4, [x1]
    ldp     x5, x6, [x1, #16]
    add     x1, x1, #32
    stp     x3, x4, [x0]
    stp     x5, x6, [x0, #16]
    add     x0, x0, #32
3:  tbz     x2, #4, 4f
    ldp     x3, x4, [x1], #16
    stp     x3, x4, [x0], #16
4:  tbz     x2, #3, 5f
    ldr     x3, [x1], #8
    str     x3, [x0], #8
5:  tbz     x2, #2, 6f
    ldr     w3, [x1], #4
    str     w3, [x0], #4
6:  tbz     x2, #1, 7f
    ldrh    w3, [x1], #2
    strh    w3, [x0], #2
7:  tbz     x2, #0, 8f
    ldrb    w3, [x1]
    strb    w3, [x0]
8:  mov     x0, x12
    ret

copy_down:                          // from the end, so that an overlap is read before it is written
    add     x1, x1, x2
    add     x3, x0, x2
    subs    x2, x2, #32
    b.lo    2f
1:  ldp     x4, x5, [x1, #-16]
    ldp     x6, x7, [x1, #-32]!
    stp     x4, x5, [x3, #-16]
    stp     x6, x7, [x3, #-32]!
    subs    x2, x2, #32
    b.hs    1b
2:  ands    x2, x2, #31
    b.eq    4f
3:  ldrb    w4, [x1, #-1]!
    strb    w4, [x3, #-1]!
    subs    x2, x2, #1
    b.ne    3b
4:  ret
end_function memmove

function memset
    and     w1, w1, #0xff
    mov     x3, #0x0101010101010101
    mul     x1, x1, x3
    mov     x3, x0
    subs    x2, x2, #64
    b.lo    2f
1:  stp     x1, x1, [x3]
    stp     x1, x1, [x3, #16]
    stp     x1, x1, [x3, #32]
    stp     x1, x1, [x3, #48]
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    stp     x1, x1, [x3], #16
    stp     x1, x1, [x3], #16
3:  tbz     x2, #4, 4f
    stp     x1, x1, [x3], #16
4:  tbz     x2, #3, 5f
    str     x1, [x3], #8
5:  tbz     x2, #2, 6f
    str     w1, [x3], #4
6:  tbz     x2, #1, 7f
    strh    w1, [x3], #2
7:  tbz     x2, #0, 8f
    strb    w1, [x3]
8:  ret
end_function memset

function memcmp
    subs    x2, x2, #8
    b.lo    2f
1:  ldr     x3, [x0], #8
    ldr     x4, [x1], #8
    cmp     x3, x4
    b.ne    3f
    subs    x2, x2, #8
    b.hs    1b
2:  ands    x2, x2, #7
    b.eq    5f
4:  ldrb    w3, [x0], #1
    ldrb    w4, [x1], #1
    subs    w3, w3, w4
    b.ne    6f
    subs    x2, x2, #1
    b.ne    4b
5:  mov     w0, #0
    ret
3:  rev     x3, x3                  // the first byte in memory becomes the most significant
    rev     x4, x4
    cmp     x3, x4
    mov     w0, #1
    cneg    w0, w0, lo
    ret
6:  mov     w0, w3
    ret
end_function memcmp

// Eight bytes a turn once aligned, like strlen; what follows the last byte in its word does not count.
function memchr
    and     w1, w1, #0xff
    mov     x5, #0x0101010101010101
    mul     x6, x1, x5
    add     x2, x0, x2              // the end
1:  cmp     x0, x2
    b.hs    4f
    tst     x0, #7
    b.eq    2f
    ldrb    w3, [x0], #1
    cmp     w3, w1
    b.ne    1b
    sub     x0, x0, #1
    ret
2:  ldr     x3, [x0], #8
    eor     x3, x3, x6              // zero where the byte is
    sub     x4, x3, x5
    orr     x7, x3, #0x7f7f7f7f7f7f7f7f
    bics    x4, x4, x7
    b.ne    3f
    cmp     x0, x2
    b.lo    2b
    b       4f
3:  rbit    x4, x4
    clz     x4, x4
    sub     x0, x0, #8
    add     x0, x0, x4, lsr #3
    cmp     x0, x2
    csel    x0, x0, xzr, lo
    ret
4:  mov     x0, #0
    ret
end_function memchr

// Eight bytes a turn once aligned: an aligned word never reaches into a page where the string is not.
function strlen
    mov     x1, x0
1:  tst     x1, #7
    b.eq    2f
    ldrb    w2, [x1], #1
    cbnz    w2, 1b
    sub     x0, x1, x0
    sub     x0, x0, #1
    ret
2:  mov     x4, #0x0101010101010101
3:  ldr     x2, [x1], #8
    sub     x3, x2, x4
    orr     x5, x2, #0x7f7f7f7f7f7f7f7f
    bics    x3, x3, x5              // bit 7 of each byte that is zero (or follows one by borrow; the first is exact)
    b.eq    3b
    rbit    x3, x3
    clz     x3, x3
    sub     x1, x1, #8
    add     x1, x1, x3, lsr #3
    sub     x0, x1, x0
    ret
end_function strlen

.section .note.GNU-stack, "", %progbits
