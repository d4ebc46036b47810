// Devices on the host are plain memory: orders are recorded, and there is nothing to wait for but the end of a bounded wait.
#include "machine/rpi3/device.h"

#include "device.h"
#include "host.h"
#include "machine/rpi3/dma.h"

namespace host {
std::function<void(Nanoseconds)> wait_observe;
}

namespace device {

void barrier() { host::record({host::MmuCall::Kind::DeviceBarrier}); }
void wait(Nanoseconds time) {
    if (host::wait_observe) {
        host::wait_observe(time);
    }
}

// Steps are counted rather than timed: each passes a microsecond.
Timeout::Timeout(Nanoseconds time) : end_(time) {}

bool Timeout::step() {
    const Nanoseconds microsecond = 1'000;
    end_ = end_ > microsecond ? end_ - microsecond : 0;
    return end_ != 0;
}

}  // namespace device

namespace dma {

void clean_and_invalidate(const void* start, size_t bytes) {
    host::record({.kind = host::MmuCall::Kind::DataCleaned, .address = reinterpret_cast<uint64_t>(start), .bytes = bytes});
}

PhysAddr physical(const void* pointer) { return PhysAddr(reinterpret_cast<uint64_t>(pointer) & 0x3fff'ffff); }

}  // namespace dma
