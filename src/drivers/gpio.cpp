// Pins.
#include "drivers/gpio.h"

#include "machine/rpi3/device.h"

// Ten pins share a word of function_select; 32 share a word of everything else.
static uint32_t function_shift(unsigned pin) { return pin % 10 * 3; }
static uint32_t bit_of(unsigned pin) { return 1u << (pin % 32); }

void Gpio::set_function(unsigned pin, Function function) {
    ASSERT(pin < pin_count);
    SpinGuard guard(lock_);
    device::barrier();
    Register& select = registers_->function_select[pin / 10];
    const uint32_t others = select.read() & ~(7u << function_shift(pin));
    select.write(others | static_cast<uint32_t>(function) << function_shift(pin));
    device::barrier();
}

Gpio::Function Gpio::function(unsigned pin) {
    ASSERT(pin < pin_count);
    device::barrier();
    const uint32_t word = registers_->function_select[pin / 10].read();
    device::barrier();
    return static_cast<Function>(word >> function_shift(pin) & 7);
}

// The sequence of BCM2835 ARM Peripherals 6.1, GPPUDCLKn: offer the pull, wait 150 cycles, clock it into the
// pin, wait, take both away. A microsecond is 150 cycles even of the slowest core clock.
void Gpio::set_pull(unsigned pin, Pull pull) {
    ASSERT(pin < pin_count);
    SpinGuard guard(lock_);
    device::barrier();
    registers_->pull.write(static_cast<uint32_t>(pull));
    device::wait(1'000);
    registers_->pull_clock[pin / 32].write(bit_of(pin));
    device::wait(1'000);
    registers_->pull.write(0);
    registers_->pull_clock[pin / 32].write(0);
    device::barrier();
}

void Gpio::write(unsigned pin, bool high) {
    ASSERT(pin < pin_count);
    device::barrier();
    if (high) {
        registers_->set[pin / 32].write(bit_of(pin));
    } else {
        registers_->clear[pin / 32].write(bit_of(pin));
    }
    device::barrier();
}

bool Gpio::read(unsigned pin) {
    ASSERT(pin < pin_count);
    device::barrier();
    const bool high = (registers_->level[pin / 32].read() & bit_of(pin)) != 0;
    device::barrier();
    return high;
}
