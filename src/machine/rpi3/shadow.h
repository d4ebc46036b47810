// SAN=1: which bytes of the kernel's half may be touched. The shadow has one byte for each eight: 0, all of them may; 1 to 7, only
// so many; else what the compiler or we mark so: none. A function that the compiler calls before each access looks there, and a
// bad one ends the run (boot/address_check.cpp).
//
// There is a shadow of the image, of the kernel's stacks and, once boot/address_check.cpp made it, of RAM in the linear map.
// The functions here are not instrumented, nor may be what they call.
#pragma once

#include <cstddef>
#include <cstdint>

#include "machine/rpi3/layout.h"

namespace shadow {

// The values that the compiler has too are the compiler's (gcc/asan.h).
enum class Mark : uint8_t {
    Good = 0,
    StackLeft = 0xf1, StackMiddle = 0xf2, StackRight = 0xf3,    // between a function's arrays
    Global = 0xf9,          // behind a global object
    NeverUsed = 0xfc,       // a page frame that nobody has had yet
    Freed = 0xfd,
};

inline volatile uint8_t& of(uint64_t address) { return *reinterpret_cast<volatile uint8_t*>(layout::shadow_of(address)); }

// `start` is 8-byte aligned. Where there is no shadow nothing is marked.
void mark(const void* start, size_t bytes, Mark mark);
// Freed memory: marks it, and remembers by whom it was freed (boot/address_check.cpp).
void freed(const void* start, size_t bytes);

// The first byte of the range that must not be touched; 0: there is none.
uint64_t first_bad(uint64_t start, size_t bytes);

// From here on physical addresses below `end` have a shadow in the linear map.
void ram_has_shadow(uint64_t end);

}  // namespace shadow
