// What every driver needs of the processor: where devices are, in which order accesses arrive, waiting a moment.
//
// tests/host/machine/device.cpp implements it on the host.
#pragma once

#include "base/types.h"
#include "machine/rpi3/layout.h"

namespace device {

// The registers of a device, in the linear map, which shows them as Device-nGnRE memory.
template <typename Block>
Block& registers_at(uint64_t physical) {
    return *reinterpret_cast<Block*>(layout::linear_map + physical);
}

// Accesses to one peripheral stay in order, accesses to two may arrive out of it (BCM2835 ARM Peripherals 1.3):
// between the last access to one and the first to another, and at both ends of an interrupt handler.
void barrier();

// Passes at least `time`, without sleeping: for the microseconds that a device asks for.
void wait(Nanoseconds time);

// A bound on waiting for a device: `while (!ready()) { if (!timeout.step()) return Error::TimedOut; }`.
class Timeout {
public:
    explicit Timeout(Nanoseconds time);
    // Passes a microsecond; false when the time is over.
    [[nodiscard]] bool step();

private:
    Nanoseconds end_;
};

}  // namespace device
