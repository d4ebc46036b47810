// The 54 general-purpose pins: what each is connected to, its level, its pull resistor.
//
// Setting a function or a pull is a read and a write of a register that ten pins share: under the lock.
#pragma once

#include "base/bits.h"
#include "machine/rpi3/register.h"
#include "machine/spin_lock.h"

// BCM2835 ARM Peripherals 6.1, at 0x3f200000.
struct GpioRegisters {
    Register function_select[6];        // ten pins a word, three bits a pin
    uint32_t reserved0;
    WriteOnlyRegister set[2];
    uint32_t reserved1;
    WriteOnlyRegister clear[2];
    uint32_t reserved2;
    ReadOnlyRegister level[2];
    uint32_t reserved3;
    Register event[2];                  // write 1 to clear
    uint32_t reserved4;
    Register detect[18];                // edges and levels that make events
    Register pull;                      // GPPUD
    Register pull_clock[2];             // GPPUDCLK0, 1
};
static_assert(sizeof(GpioRegisters) == 0xa0);

class Gpio {
public:
    static constexpr unsigned pin_count = 54;
    // The codes of BCM2835 ARM Peripherals table 6-2. What an alternate function is, table 6-31 says.
    enum class Function : uint32_t { Input = 0, Output = 1, Alt0 = 4, Alt1 = 5, Alt2 = 6, Alt3 = 7, Alt4 = 3, Alt5 = 2 };
    enum class Pull : uint32_t { Off = 0, Down = 1, Up = 2 };

    constexpr Gpio() = default;
    void start(GpioRegisters& registers) { registers_ = &registers; }

    // A pin below pin_count; the caller owns it.
    void set_function(unsigned pin, Function function);
    Function function(unsigned pin);
    void set_pull(unsigned pin, Pull pull);
    void write(unsigned pin, bool high);
    bool read(unsigned pin);

private:
    GpioRegisters* registers_ = nullptr;
    SpinLock lock_{LockRank::Devices, "gpio"};
};
