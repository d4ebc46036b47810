// Who called whom, by the frame records (x29 points at the caller's x29 and the return address, AAPCS64 6.4.6).
//
// For panics: believes nothing. A record counts only if it lies in a kernel stack, above the one before, and the MMU
// can read it; else the walk ends.
#pragma once

#include "base/format.h"

// One line a frame: `  #0 zalloc+0x24  src/mm/zone.cpp:120`. `pc` is the first frame's exact place; 0: there is none,
// the first line is the return address of the record at `frame`.
void print_backtrace(TextSink sink, uint64_t pc, uint64_t frame);

// `name+0x24  file:line`, or the bare address.
void print_place(TextSink sink, uint64_t address, bool return_address);

// True if the kernel can read the word there.
bool readable(uint64_t address);
