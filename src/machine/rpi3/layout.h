// Where the kernel's half of the address space keeps what. docs/memory-map.md draws it.
//
//     0xffffff80_00000000   linear map: RAM at its physical address, device registers at theirs
//     0xffffffc0_00000000   kernel stacks (kernel/stack.cpp)
//     0xffffffe0_00000000   with SAN=1: what may be touched (machine/rpi3/shadow.h)
//     0xffffffff_80000000   the image, wherever in RAM it was loaded; the boot stacks behind it
//
// Two constants are also known to kernel.ld and the assembly, which include this file.
#pragma once

#define LAYOUT_IMAGE 0xffffffff80000000
#define LAYOUT_TEXT_OFFSET 0x80000

#ifndef __ASSEMBLER__
#include <cstdint>

namespace layout {

inline constexpr uint64_t linear_map = 0xffff'ff80'0000'0000;
inline constexpr uint64_t kernel_stacks = 0xffff'ffc0'0000'0000;
inline constexpr uint64_t image = LAYOUT_IMAGE;

// Device registers of the BCM2837: the VideoCore's peripherals, then the cores' own (QA7 rev3.4).
inline constexpr uint64_t devices_start = 0x3f00'0000;
inline constexpr uint64_t devices_end = 0x4100'0000;
// RAM that is surely there and not the VideoCore's, also on the boards with 512 MiB: all that is mapped until the device
// tree or the firmware has said more. What is mapped as normal memory may be read by speculation (ARM ARM B2.3.9).
inline constexpr uint64_t default_ram_end = 0x1000'0000;

// Stacks of the cores until their idle threads own them, and for the report of a stack that overflowed. Slots of
// 32 KiB, the stack in the upper half: bit 14 of a good stack pointer is set, also after a trap frame was pushed.
inline constexpr uint64_t stack_slot = 0x8000;

// SAN=1: a byte for each 8 bytes of the kernel's half. The distance is also in tools/make/kernel.mk, for the compiler.
#ifdef SANITIZED
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
inline constexpr uint64_t shadow = 0xffff'ffe0'0000'0000;
constexpr uint64_t shadow_of(uint64_t address) { return (address >> 3) + (shadow - (linear_map >> 3)); }
inline constexpr uint64_t image_most = 0x100'0000;      // kernel.ld asserts it

}  // namespace layout
#endif
