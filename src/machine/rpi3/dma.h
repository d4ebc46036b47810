// Memory that something other than the processor cores reads or writes: the VideoCore does not look into our caches.
//
// tests/host/machine/device.cpp implements it on the host.
#pragma once

#include <cstddef>

#include "base/types.h"

namespace dma {

// A buffer that a device reads or writes starts at a multiple of this and fills whole lines: a neighbour in the
// same line would be written over by a clean, or its stores lost by an invalidation (Cortex-A53 TRM 6.1).
inline constexpr size_t cache_line = 64;

// What the cores wrote reaches memory and what they cached of it is forgotten: before handing a buffer to a
// device, and again before reading its answer, because a core may have fetched lines speculatively
// meanwhile. dc civac to the point of coherency, then dsb (ARM ARM B2.4.6, C6.2.110).
void clean_and_invalidate(const void* start, size_t bytes);

// Where a mapped kernel address lies in memory, asked of the MMU: the image, the linear map and the stacks
// alike. Panics if it is not mapped.
PhysAddr physical(const void* pointer);

// The VideoCore's view of a physical address below 1 GiB, through the alias that does not allocate in its L2 cache
// (BCM2835 ARM Peripherals 1.2.4; BCM2837: the L2 belongs to the VideoCore).
constexpr uint32_t bus_address(PhysAddr address) { return static_cast<uint32_t>(address.value) | 0xc000'0000u; }

}  // namespace dma
