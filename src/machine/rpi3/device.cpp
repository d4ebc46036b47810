// Barriers and short waits on hardware.
#include "machine/rpi3/device.h"

#include "machine/clock.h"
#include "machine/cpu.h"

namespace device {

void barrier() {
    // DSB rather than DMB: the access itself must have arrived, for instance before an interrupt is unmasked.
    asm volatile("dsb sy" ::: "memory");
}

void wait(Nanoseconds time) {
    // One more than asked: the clock may be about to step.
    const Nanoseconds end = machine_clock::now() + time + 1;
    while (machine_clock::now() < end) {
        asm volatile("yield" ::: "memory");
    }
}

Timeout::Timeout(Nanoseconds time) : end_(machine_clock::now() + time) {}

bool Timeout::step() {
    wait(1'000);
    return machine_clock::now() < end_;
}

}  // namespace device
