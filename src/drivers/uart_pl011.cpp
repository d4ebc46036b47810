// The PL011.
#include "drivers/uart_pl011.h"

#include "machine/rpi3/device.h"

using namespace pl011;

// What is always let through: the receive FIFO is half full; something is in it and nothing came for 32 bit times. Errors
// come along with their byte.
static constexpr uint32_t receive_interrupts = interrupt::Receive::of(1) | interrupt::ReceiveTimeout::of(1);

void Pl011::connect_pins(Gpio& gpio) {
    gpio.set_function(32, Gpio::Function::Input);
    gpio.set_function(33, Gpio::Function::Input);
    for (unsigned pin : {14u, 15u}) {
        gpio.set_pull(pin, Gpio::Pull::Off);
        gpio.set_function(pin, Gpio::Function::Alt0);
    }
}

Result<> Pl011::start(Pl011Registers& registers, uint32_t clock_hertz, uint32_t baud) {
    using IntegerPart = BitField<uint32_t, 6, 21>;
    using Fraction = BitField<uint32_t, 0, 5>;
    const uint32_t divisor = pl011_divisor(clock_hertz, baud);
    if (divisor == 0) {
        return Error::Invalid;
    }
    SpinGuard guard(lock_);
    device::barrier();
    device::Timeout timeout(100'000'000);
    while (flags::Busy::get(registers.flags.read()) != 0 && timeout.step()) {
    }
    registers_ = &registers;
    // The order of DDI 0183 3.3.8: off, divisor and line (whose write takes over the divisor), on. Its step of emptying the
    // FIFOs by switching them off is left out: nothing is being sent, and what was typed during the boot is kept.
    registers.control.write(0);
    registers.interrupt_mask.write(0);
    registers.interrupt_clear.write(interrupt::all);
    registers.dma_control.write(0);
    registers.integer_divisor.write(IntegerPart::get(divisor));
    registers.fractional_divisor.write(Fraction::get(divisor));
    registers.line_control.write(line::WordLength::of(3) | line::Fifos::of(1));
    constexpr uint32_t half = 2, eighth = 0;
    registers.fifo_levels.write(levels::Receive::of(half) | levels::Transmit::of(eighth));
    registers.interrupt_mask.write(receive_interrupts);
    registers.control.write(control::Enable::of(1) | control::Transmit::of(1) | control::Receive::of(1));
    device::barrier();
    transmit_interrupt_ = false;
    collect_locked();
    pump_locked();
    return {};
}

// Before start() nothing is ready: what is written waits in the ring.
bool Pl011::transmit_ready() {
    return registers_ != nullptr && flags::TransmitFull::get(registers_->flags.read()) == 0;
}

void Pl011::transmit(uint8_t byte) {
    registers_->data.write(data::Byte::of(byte));
}

bool Pl011::transmit_finished() {
    return registers_ == nullptr || flags::Busy::get(registers_->flags.read()) == 0;
}

bool Pl011::receive(Received& received) {
    if (flags::ReceiveEmpty::get(registers_->flags.read()) != 0) {
        return false;
    }
    const uint32_t word = registers_->data.read();
    received.byte = static_cast<uint8_t>(data::Byte::get(word));
    received.broken = (data::Framing::get(word) | data::Parity::get(word)) != 0;
    received.line_break = data::Break::get(word) != 0;
    received.overrun = data::Overrun::get(word) != 0;
    return true;
}

void Pl011::want_transmit_interrupt(bool wanted) {
    if (registers_ != nullptr && wanted != transmit_interrupt_) {
        transmit_interrupt_ = wanted;
        registers_->interrupt_mask.write(receive_interrupts | interrupt::Transmit::of(wanted));
    }
}

// The transmit interrupt is taken back before the FIFO is filled, so that its next emptying is a new one. Those of
// the receiver end when its FIFO has been read.
bool Pl011::acknowledge() {
    if (registers_ == nullptr || registers_->interrupts.read() == 0) {
        return false;
    }
    registers_->interrupt_clear.write(interrupt::Transmit::of(1));
    return true;
}
