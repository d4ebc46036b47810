// The extent of RAM; junk in freed memory. Pages are cleared and copied in memory.S.
#include "machine/ram.h"

namespace ram {

namespace {

Extent the_extent{PhysAddr(0), PhysAddr(layout::default_ram_end)};

}  // namespace

Extent extent() { return the_extent; }
void set_extent(Extent extent) { the_extent = extent; }

void poison(void* start, size_t bytes) {
    // Whoever uses freed memory mostly starts at its start: filling all of it would double the price of a page.
    constexpr size_t usual_most = 64;
    auto* at = static_cast<uint64_t*>(start);
    if (bytes >= usual_most && !junk_everywhere) [[likely]] {
        asm volatile("stp %1, %1, [%0]\n\tstp %1, %1, [%0, #16]\n\tstp %1, %1, [%0, #32]\n\tstp %1, %1, [%0, #48]"
                     ::"r"(at), "r"(junk) : "memory");
    } else {
        for (auto* end = at + bytes / 8; at != end; at += 2) {
            asm volatile("stp %1, %1, [%0]" ::"r"(at), "r"(junk) : "memory");
        }
    }
    if constexpr (layout::sanitized) {
        shadow::freed(start, bytes);
    }
}

}  // namespace ram
