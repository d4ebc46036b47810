// The PL011 UART, the console: interrupts, FIFOs, 8 bits, no parity, one stop bit.
//
// Register block: machine/rpi3/pl011_registers.h (DDI 0183 chapter 3), which the polled console shares.
#pragma once

#include "base/result.h"
#include "drivers/gpio.h"
#include "drivers/serial_port.h"
#include "machine/rpi3/pl011_registers.h"

class Pl011 final : public SerialPort {
public:
    constexpr Pl011() : SerialPort("pl011") {}

    // Takes the UART over from the polled console: waits for its last byte, sets the divisor for `clock_hertz`, interrupts
    // on. From here on the line interrupts; the caller has set the handler of Line::Uart and enables it after.
    // Invalid: no divisor makes `baud` of this clock; the UART stays as it was.
    Result<> start(Pl011Registers& registers, uint32_t clock_hertz, uint32_t baud);

    // Connects pins 14 and 15 (ALT0, no pull resistors) and takes 32 and 33 away, where the firmware may have
    // connected the UART to the Bluetooth chip.
    static void connect_pins(Gpio& gpio);

private:
    bool transmit_ready() override REQUIRES(lock_);
    void transmit(uint8_t byte) override REQUIRES(lock_);
    bool transmit_finished() override REQUIRES(lock_);
    bool receive(Received& received) override REQUIRES(lock_);
    void want_transmit_interrupt(bool wanted) override REQUIRES(lock_);
    bool acknowledge() override REQUIRES(lock_);

    Pl011Registers* registers_ GUARDED_BY(lock_) = nullptr;
    bool transmit_interrupt_ GUARDED_BY(lock_) = false;
};
