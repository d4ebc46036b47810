// The mini-UART, a second serial line, of the auxiliary peripherals.
//
// On a board it can only be seen on pins 14 and 15, where the console's PL011 is: so start() leaves the pins alone, and
// whoever wants this line instead of the PL011 calls connect_pins(). QEMU has both lines at once (its second
// -serial). Its clock is the VideoCore's core clock: the baud rate is right while the firmware keeps that fixed (core_freq=250
// in config.txt, or enable_uart=1).
//
// The interrupt line Aux is shared with SPI 1 and 2; AUX_IRQ says whose it is.
#pragma once

#include "base/result.h"
#include "drivers/gpio.h"
#include "drivers/serial_port.h"
#include "machine/rpi3/register.h"

// BCM2835 ARM Peripherals 2.1 and 2.2.2 (with the corrections of the published errata: the bits of AUX_MU_IER
// and AUX_MU_LCR), at 0x3f215000.
struct AuxRegisters {
    ReadOnlyRegister irq;               // 0x00: who interrupts
    Register enables;                   // 0x04: who may be accessed
    uint32_t reserved[14];
    Register data;                      // 0x40
    Register interrupt_enable;          // 0x44
    Register interrupt_identify;        // 0x48: reads what is pending, writes clear FIFOs
    Register line_control;              // 0x4c
    Register modem_control;             // 0x50
    ReadOnlyRegister line_status;       // 0x54: reading clears the overrun
    ReadOnlyRegister modem_status;      // 0x58
    Register scratch;                   // 0x5c
    Register control;                   // 0x60
    ReadOnlyRegister status;            // 0x64
    Register baud;                      // 0x68

    using MiniUart = BitField<uint32_t, 0>;                 // irq, enables
    using ReceiveInterrupt = BitField<uint32_t, 0>;         // interrupt_enable
    using TransmitInterrupt = BitField<uint32_t, 1>;        // interrupt_enable
    // Errata: bits 3:2 must be set for interrupts to come.
    using InterruptsAtAll = BitField<uint32_t, 2, 3>;       // interrupt_enable
    using NonePending = BitField<uint32_t, 0>;              // interrupt_identify
    using ClearFifos = BitField<uint32_t, 1, 2>;            // interrupt_identify
    using EightBits = BitField<uint32_t, 0, 1>;             // line_control; 3 (errata)
    using DataReady = BitField<uint32_t, 0>;                // line_status
    using ReceiveOverrun = BitField<uint32_t, 1>;           // line_status
    using TransmitRoom = BitField<uint32_t, 5>;             // line_status
    using TransmitIdle = BitField<uint32_t, 6>;             // line_status
    using Receive = BitField<uint32_t, 0>;                  // control
    using Transmit = BitField<uint32_t, 1>;                 // control
    using Divisor = BitField<uint32_t, 0, 15>;              // baud
};
static_assert(sizeof(AuxRegisters) == 0x6c);

class MiniUart final : public SerialPort {
public:
    constexpr MiniUart() : SerialPort("mini-uart") {}

    // `core_hertz` is the VideoCore's core clock. Then set and enable Line::Aux. Invalid: no divisor makes `baud`.
    // Without its pins the receiver stays off, which on a board would hear an endless break (QEMU's hears anyway).
    Result<> start(AuxRegisters& registers, uint32_t core_hertz, uint32_t baud, bool pins_connected);
    // Pins 14 and 15 as ALT5: takes them from the PL011.
    static void connect_pins(Gpio& gpio);

private:
    bool transmit_ready() override REQUIRES(lock_);
    void transmit(uint8_t byte) override REQUIRES(lock_);
    bool transmit_finished() override REQUIRES(lock_);
    bool receive(Received& received) override REQUIRES(lock_);
    void want_transmit_interrupt(bool wanted) override REQUIRES(lock_);
    bool acknowledge() override REQUIRES(lock_);

    AuxRegisters* registers_ GUARDED_BY(lock_) = nullptr;
    bool transmit_interrupt_ GUARDED_BY(lock_) = false;
};
