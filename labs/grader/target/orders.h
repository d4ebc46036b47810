// What the grader tells the kernel that it starts: a page of memory, there before the first instruction.
//
// The key is taken out of it before anything of a lab's file has run (kernel/key.cpp).
#pragma once

#include <cstdint>

struct TargetOrders {
    static constexpr uint64_t physical = 0x6'0000;      // below the kernel's image, where nothing is loaded
    static constexpr uint64_t right_magic = 0x7372'6564'726f'6c6b;

    uint64_t magic;
    uint64_t key[2];
    uint64_t seed;
    uint64_t patience;          // nanoseconds that one check may take, in guest time
    uint32_t at_el0;            // 0: the checks are in the kernel; 1: in the first process's program
    uint32_t on_board;          // 1: there is one serial line and no debug port, and time is a real board's
    uint32_t count;             // of names
    char names[3000];           // of the checks, in order, each ended by a zero
};
static_assert(sizeof(TargetOrders) <= 4096);
