// The linear map: all RAM, at one fixed distance from its physical address.
#pragma once

#include "base/types.h"
#include "machine/rpi3/layout.h"
#include "machine/rpi3/shadow.h"

namespace ram {

template <typename T>
inline T* at(PhysAddr address) {
    return reinterpret_cast<T*>(address.value + layout::linear_map);
}

inline PhysAddr phys_of(const void* pointer) {
    return PhysAddr(reinterpret_cast<uint64_t>(pointer) - layout::linear_map);
}

inline void unpoison([[maybe_unused]] void* start, [[maybe_unused]] size_t bytes) {    // junk may stay
    if constexpr (layout::sanitized) {
        shadow::mark(start, bytes, shadow::Mark::Good);
    }
}

// At boot, once: what the kernel may use of RAM (page aligned, it starts where RAM starts).
void set_extent(Extent extent);

}  // namespace ram
