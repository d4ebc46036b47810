// The generic timer's virtual counter, scaled to nanoseconds.
#pragma once

#include "base/types.h"

namespace machine_clock {

// Nanoseconds a tick and ticks a nanosecond, in 2^-32; set by start() from CNTFRQ_EL0.
struct Scale {
    uint64_t to_nanoseconds = 0;
    uint64_t to_ticks = 0;
};
extern Scale scale;

// On core 0, before the first now(). False if the counter does not say how fast it runs; then 19.2 MHz is taken.
bool start();
uint64_t ticks_per_second();

// ISB: else the counter may be read ahead of the instructions before it (ARM ARM D12.2.1).
inline uint64_t ticks() {
    uint64_t value;
    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
}

inline Nanoseconds now() {
    return static_cast<Nanoseconds>((static_cast<unsigned __int128>(ticks()) * scale.to_nanoseconds) >> 32);
}

}  // namespace machine_clock
