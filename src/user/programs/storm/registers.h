// A system call with no arguments, made with known values in all registers that it must keep.
#pragma once

#include <stdint.h>

#include "abi/forklore.h"

namespace storm {

struct KeptCall {
    long result;
    uint64_t differences;       // 0: every register came back
};

// Inlined, and nothing of it on the stack: after vfork both returns come through here in one frame.
[[gnu::always_inline]] inline KeptCall call_keeping_registers(ForkloreSyscall number, uint64_t seed) {
    register long x0 asm("x0") = 0;
    register uint64_t x5 asm("x5");
    register uint64_t x7 asm("x7") = seed;
    register long x8 asm("x8") = number;
    asm volatile(
        ".irp n, 9,10,11,12,13,14,15,16,17,19,20,21,22,23,24,25,26,27,28\n add x\\n, x7, #\\n\n .endr\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        " add x6, x7, #(64 + \\n)\n dup v\\n\\().2d, x6\n .endr\n"
        "svc #0\n"
        "mov x5, #0\n"
        ".irp n, 9,10,11,12,13,14,15,16,17,19,20,21,22,23,24,25,26,27,28\n"
        " add x6, x7, #\\n\n eor x6, x6, x\\n\n orr x5, x5, x6\n .endr\n"
        ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        " add x6, x7, #(64 + \\n)\n umov x4, v\\n\\().d[0]\n eor x4, x4, x6\n orr x5, x5, x4\n"
        " umov x4, v\\n\\().d[1]\n eor x4, x4, x6\n orr x5, x5, x4\n .endr\n"
        : "+r"(x0), "=&r"(x5), "+r"(x7), "+r"(x8)
        :
        : "x1", "x2", "x3", "x4", "x6", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x19", "x20", "x21", "x22",
          "x23", "x24", "x25", "x26", "x27", "x28", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
          "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
          "v28", "v29", "v30", "v31", "memory", "cc");
    return {x0, x5 | (x7 ^ seed) | static_cast<uint64_t>(x8 ^ number)};
}

}  // namespace storm
