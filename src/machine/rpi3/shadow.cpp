// The marks of SAN=1 and the look at them.
#include "machine/rpi3/shadow.h"

namespace shadow {
namespace {

constexpr uint64_t granule = 8;
uint64_t ram_end = 0;

bool has_shadow(uint64_t address) {
    return address - layout::linear_map < ram_end || address - layout::image < layout::image_most ||
           (address >= layout::kernel_stacks && address < layout::shadow);
}

}  // namespace

void ram_has_shadow(uint64_t end) { ram_end = end; }

void mark(const void* start, size_t bytes, Mark mark) {
    const auto first = reinterpret_cast<uint64_t>(start);
    if (!has_shadow(first)) {
        return;
    }
    constexpr uint64_t eight = 8 * granule;
    uint64_t at = first;
    while (at + granule <= first + bytes) {
        if (at % eight == 0 && at + eight <= first + bytes) {
            const uint64_t marks = 0x0101'0101'0101'0101 * static_cast<uint64_t>(mark);
            *reinterpret_cast<volatile uint64_t*>(layout::shadow_of(at)) = marks;
            at += eight;
        } else {
            of(at) = static_cast<uint8_t>(mark);
            at += granule;
        }
    }
    if (at < first + bytes) {
        of(at) = static_cast<uint8_t>(mark == Mark::Good ? first + bytes - at : static_cast<uint64_t>(mark));
    }
}

uint64_t first_bad(uint64_t start, size_t bytes) {
    if (start < layout::linear_map || start + bytes < start) {
        return 0;       // no address of the kernel's: the MMU will say so
    }
    for (uint64_t at = start; at < start + bytes; at = (at & ~(granule - 1)) + granule) {
        const uint8_t value = of(at);
        if (value == 0) {
            continue;
        }
        const uint64_t good_end = (at & ~(granule - 1)) + (value < granule ? value : 0);
        const uint64_t bad = at < good_end ? good_end : at;
        if (bad < start + bytes) {
            return bad;
        }
    }
    return 0;
}

}  // namespace shadow
