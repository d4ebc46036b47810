// The generic timer (ARM ARM D12.1): the virtual counter and its comparator, one a core.
#include "machine/clock.h"

#include "base/bits.h"

namespace machine_clock {

// CNTV_CTL_EL0 (ARM ARM D17, Generic Timer registers).
namespace control {
using Enable = BitField<uint64_t, 0>;
}

Scale scale;

namespace {
uint64_t frequency;
}

bool start() {
    asm("mrs %0, cntfrq_el0" : "=r"(frequency));
    const bool known = frequency >= 1'000'000 && frequency <= nanoseconds_per_second;
    if (!known) {
        frequency = 19'200'000;     // the Pi 3's crystal
    }
    // Both quotients below 2^64: 10^9 * 2^32 and frequency * 2^32 are below 2^62.
    scale.to_nanoseconds = (nanoseconds_per_second << 32) / frequency;
    // Rounded up: a deadline may come late by a billionth, never early.
    scale.to_ticks = ((frequency << 32) + nanoseconds_per_second - 1) / nanoseconds_per_second;
    return known;
}

uint64_t ticks_per_second() { return frequency; }

void set_deadline(Nanoseconds deadline) {
    uint64_t enable = 0;
    if (deadline != never) {
        // One tick more than the quotient, so that now() has reached the deadline when the interrupt comes.
        const auto ticks = static_cast<uint64_t>((static_cast<unsigned __int128>(deadline) * scale.to_ticks) >> 32) + 1;
        asm volatile("msr cntv_cval_el0, %0" ::"r"(ticks) : "memory");
        enable = control::Enable::of(1);
    }
    asm volatile("msr cntv_ctl_el0, %0\n\tisb" ::"r"(enable) : "memory");
}

}  // namespace machine_clock
