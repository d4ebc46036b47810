// Heartbeat and crash code.
#include "boot/light.h"

#include "drivers/devices.h"
#include "kernel/boot_arguments.h"
#include "kernel/log.h"
#include "kernel/sched.h"
#include "machine/clock.h"
#include "machine/rpi3/device.h"

namespace {

constexpr Nanoseconds millisecond = nanoseconds_per_second / 1000;

void beat(void*) {
    for (bool lit = true;; lit = !lit) {
        devices::led.set(lit);
        sleep_until(machine_clock::now() + (lit ? 100 : 900) * millisecond, false);
    }
}

}  // namespace

void start_heartbeat() {
    if (boot_arguments.heartbeat && !kernel_thread_start("heartbeat", beat, nullptr).ok()) {
        log("heartbeat: no memory for a thread");
    }
}

void blink_code(unsigned flashes) {
    if (!boot_arguments.heartbeat) {
        return;
    }
    // The light of some boards wants a lock, of a lower rank perhaps than those that this core will never give back.
    cpu::current().held.innermost = nullptr;
    for (unsigned round = 0; round < 3; ++round) {
        for (unsigned flash = 0; flash < flashes; ++flash) {
            devices::led.set(true);
            device::wait(150 * millisecond);
            devices::led.set(false);
            device::wait(250 * millisecond);
        }
        device::wait(1000 * millisecond);
    }
}
