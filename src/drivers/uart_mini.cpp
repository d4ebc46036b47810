// The mini-UART.
#include "drivers/uart_mini.h"

#include "machine/rpi3/device.h"

static constexpr uint32_t receive_interrupts =
    AuxRegisters::ReceiveInterrupt::of(1) | AuxRegisters::InterruptsAtAll::of(3);

void MiniUart::connect_pins(Gpio& gpio) {
    for (unsigned pin : {14u, 15u}) {
        gpio.set_pull(pin, Gpio::Pull::Off);
        gpio.set_function(pin, Gpio::Function::Alt5);
    }
}

Result<> MiniUart::start(AuxRegisters& registers, uint32_t core_hertz, uint32_t baud, bool pins_connected) {
    const uint32_t divisor = mini_uart_divisor(core_hertz, baud);
    if (divisor == 0 || divisor > AuxRegisters::Divisor::mask) {
        return Error::Invalid;
    }
    SpinGuard guard(lock_);
    device::barrier();
    // Off, its other registers can not be accessed (2.1.1).
    registers.enables.write(registers.enables.read() | AuxRegisters::MiniUart::of(1));
    device::barrier();
    registers.control.write(0);
    registers.interrupt_enable.write(0);
    registers.line_control.write(AuxRegisters::EightBits::of(3));
    registers.modem_control.write(0);
    registers.interrupt_identify.write(AuxRegisters::ClearFifos::of(3));
    registers.baud.write(AuxRegisters::Divisor::of(divisor));
    registers.interrupt_enable.write(receive_interrupts);
    registers.control.write(AuxRegisters::Receive::of(pins_connected) | AuxRegisters::Transmit::of(1));
    device::barrier();
    registers_ = &registers;
    transmit_interrupt_ = false;
    pump_locked();
    return {};
}

bool MiniUart::transmit_ready() {
    return registers_ != nullptr && AuxRegisters::TransmitRoom::get(registers_->line_status.read()) != 0;
}

void MiniUart::transmit(uint8_t byte) {
    registers_->data.write(byte);
}

bool MiniUart::transmit_finished() {
    return registers_ == nullptr || AuxRegisters::TransmitIdle::get(registers_->line_status.read()) != 0;
}

// It knows neither parity nor stop-bit errors nor breaks: a break reads as NUL bytes.
bool MiniUart::receive(Received& received) {
    const uint32_t status = registers_->line_status.read();
    received.overrun = AuxRegisters::ReceiveOverrun::get(status) != 0;
    if (AuxRegisters::DataReady::get(status) == 0) {
        return false;
    }
    received.byte = static_cast<uint8_t>(registers_->data.read());
    return true;
}

void MiniUart::want_transmit_interrupt(bool wanted) {
    if (registers_ != nullptr && wanted != transmit_interrupt_) {
        transmit_interrupt_ = wanted;
        registers_->interrupt_enable.write(receive_interrupts | AuxRegisters::TransmitInterrupt::of(wanted));
    }
}

bool MiniUart::acknowledge() {
    return registers_ != nullptr && AuxRegisters::MiniUart::get(registers_->irq.read()) != 0;
}
