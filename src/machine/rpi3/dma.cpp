// Cache maintenance and address translation for devices.
#include "machine/rpi3/dma.h"

#include "base/bits.h"
#include "base/panic.h"
#include "machine/cpu.h"
#include "machine/spin_lock.h"

namespace dma {

// PAR_EL1 after an address translation instruction (ARM ARM D17.2.105).
namespace translation {
using Failed = BitField<uint64_t, 0>;
inline constexpr uint64_t page_mask = 0x0000'ffff'ffff'f000;
}  // namespace translation

void clean_and_invalidate(const void* start, size_t bytes) {
    auto address = reinterpret_cast<uint64_t>(start) & ~uint64_t{cache_line - 1};
    const uint64_t end = reinterpret_cast<uint64_t>(start) + bytes;
    for (; address < end; address += cache_line) {
        asm volatile("dc civac, %0" ::"r"(address) : "memory");
    }
    asm volatile("dsb sy" ::: "memory");
}

PhysAddr physical(const void* pointer) {
    // PAR_EL1 belongs to the core: nobody else may translate between the two instructions.
    InterruptGuard guard;
    const auto address = reinterpret_cast<uint64_t>(pointer);
    uint64_t answer;
    asm volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(answer) : "r"(address) : "memory");
    if (translation::Failed::get(answer) != 0) {
        panic("dma: not a mapped kernel address", address, answer);
    }
    return PhysAddr((answer & translation::page_mask) | (address & (page_size - 1)));
}

}  // namespace dma
