// SAN=1: a use of freed memory, and one beyond the end of a global object or of an array on the stack, ends the run and is named.
// The compiler's checks (-fsanitize=kernel-address) look at the shadow of machine/rpi3/shadow.h.
#pragma once

#include "machine/ram.h"

namespace address_check {

inline constexpr uint64_t block = 2u << 20;

// What the shadow of RAM that ends at `ram_end`, and the memory of who freed what, take.
uint64_t bytes_for(PhysAddr ram_end);
// Gives RAM its shadow, at `place` (`block` aligned). Core 0 alone, before pages::init.
void start(PhysAddr place, PhysAddr ram_end);
// Page frames that nobody has had are out of bounds from here on. Behind pages::init.
void forbid_free_frames(ram::Extent ram);

}  // namespace address_check
