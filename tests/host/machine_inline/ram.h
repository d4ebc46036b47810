// The host's RAM: an arena from mmap, at a physical address of its own.
#pragma once

#include "machine/ram.h"

namespace host {

inline constexpr PhysAddr ram_start{0x1000'0000};
inline constexpr uint64_t ram_bytes = 64ull << 20;
inline char* arena = nullptr;       // set by start() (tests/host/machine/ram.cpp)

}  // namespace host

namespace ram {

template <typename T>
T* at(PhysAddr address) {
    return reinterpret_cast<T*>(reinterpret_cast<uint64_t>(host::arena) + (address.value - host::ram_start.value));
}

inline PhysAddr phys_of(const void* pointer) {
    return PhysAddr(reinterpret_cast<uint64_t>(pointer) - reinterpret_cast<uint64_t>(host::arena) +
                    host::ram_start.value);
}

}  // namespace ram
