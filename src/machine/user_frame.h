// The registers of a program at the moment it entered the kernel: plain data on both machines.
//
// It lies at the top of the thread's kernel stack; boot/vectors.S saves and restores it, and asserts
// the offsets. "The child returns 0" is `frame.x[0] = 0`.
#pragma once

#include <cstddef>
#include <cstdint>

struct UserFrame {
    uint64_t x[31];
    uint64_t sp;        // SP_EL0
    uint64_t pc;        // ELR_EL1
    uint64_t pstate;    // SPSR_EL1
};
static_assert(sizeof(UserFrame) == 34 * 8 && sizeof(UserFrame) % 16 == 0);

// PSTATE of a program: EL0t, AArch64, interrupts on (ARM ARM C5.2.18).
inline constexpr uint64_t user_pstate = 0;
// The bits that a program may choose: the condition flags NZCV.
inline constexpr uint64_t user_pstate_mask = 0xf000'0000;
