// Pages, cleared and copied; the extent of RAM.
#include "machine/ram.h"

#include "base/bits.h"

namespace ram {

namespace {

Extent the_extent{PhysAddr(0), PhysAddr(layout::default_ram_end)};

// How much DC ZVA clears at once, 0 if it must not be used: DCZID_EL0 (ARM ARM D17.2.36).
size_t zva_bytes() {
    using Prohibited = BitField<uint64_t, 4>;
    using LogWords = BitField<uint64_t, 0, 3>;
    uint64_t dczid;
    asm("mrs %0, dczid_el0" : "=r"(dczid));
    return Prohibited::get(dczid) != 0 ? 0 : size_t{4} << LogWords::get(dczid);
}

}  // namespace

Extent extent() { return the_extent; }
void set_extent(Extent extent) { the_extent = extent; }

void clear_page(void* page) {
    auto at = reinterpret_cast<uint64_t>(page);
    const uint64_t end = at + page_size;
    if (const size_t step = zva_bytes(); step != 0 && step <= page_size) {
        for (; at != end; at += step) {
            asm volatile("dc zva, %0" ::"r"(at) : "memory");
        }
        return;
    }
    for (; at != end; at += 64) {
        asm volatile("stp xzr, xzr, [%0]\n\tstp xzr, xzr, [%0, #16]\n\t"
                     "stp xzr, xzr, [%0, #32]\n\tstp xzr, xzr, [%0, #48]" ::"r"(at) : "memory");
    }
}

void poison(void* start, size_t bytes) {
    // Whoever uses freed memory mostly starts at its start: filling all of it would double the price of a page.
    constexpr uint64_t junk = 0xdead'f4ee'dead'f4ee;
    constexpr size_t most = 64;
    auto* words = static_cast<uint64_t*>(start);
    for (size_t i = 0; i < (bytes < most ? bytes : most) / sizeof(uint64_t); ++i) {
        words[i] = junk;
    }
}

void unpoison(void*, size_t) {}

}  // namespace ram
