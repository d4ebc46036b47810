// The watchdog.
#include "drivers/watchdog.h"

#include "machine/rpi3/device.h"

namespace pm = power_manager;

Result<> Watchdog::arm(Nanoseconds time) {
    if (time == 0 || time > longest) {
        return Error::Range;
    }
    SpinGuard guard(lock_);
    count_ = static_cast<uint32_t>((time + tick - 1) / tick);
    load_locked();
    return {};
}

void Watchdog::feed() {
    SpinGuard guard(lock_);
    if (count_ != 0) {
        load_locked();
    }
}

void Watchdog::load_locked() {
    device::barrier();
    registers_->watchdog.write(pm::password | pm::watchdog::Count::of(count_));
    const uint32_t control = registers_->reset_control.read() & ~pm::Password::mask;
    registers_->reset_control.write(pm::password | pm::reset_control::Action::set(control, pm::reset_control::full_reset));
    device::barrier();
}

void Watchdog::stop() {
    SpinGuard guard(lock_);
    count_ = 0;
    device::barrier();
    const uint32_t control = registers_->reset_control.read() & ~pm::Password::mask;
    registers_->reset_control.write(pm::password | pm::reset_control::Action::set(control, 0));
    device::barrier();
}

Nanoseconds Watchdog::remaining() {
    SpinGuard guard(lock_);
    if (count_ == 0) {
        return never;
    }
    device::barrier();
    const uint32_t left = pm::watchdog::Count::get(registers_->watchdog.read());
    device::barrier();
    return left * tick;
}
