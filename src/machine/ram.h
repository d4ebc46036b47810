// Memory by physical address.
#pragma once

#include "base/types.h"

namespace ram {

struct Extent {
    PhysAddr start, end;    // page aligned
};
// All RAM that the kernel may use, the kernel's own image included.
Extent extent();

// The kernel's view of a physical address in RAM; valid on every core, for ever.
template <typename T>
T* at(PhysAddr address);
// The inverse, for a pointer that at() gave.
PhysAddr phys_of(const void* pointer);

void clear_page(void* page);                        // page aligned
void copy_page(void* to, const void* from);         // both page aligned
// Makes freed memory unlike anything: ASan poison on the host, junk in its first bytes on the Pi. 16-byte aligned, as is `bytes`.
void poison(void* start, size_t bytes);
void unpoison(void* start, size_t bytes);
// Set at boot, before anything is freed: poison() writes junk to every byte, on both machines, so that whoever takes the
// memory again can see whether it was written to in between.
inline constexpr uint64_t junk = 0xdead'f4ee'dead'f4ee;
inline bool junk_everywhere = false;

}  // namespace ram

#include "machine_inline/ram.h"
