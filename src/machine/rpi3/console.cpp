// The polled console: PL011 on pins 14 and 15, 115200 baud, before the drivers and when nothing else works.
//
// No lock: a panic must print whatever the others do. Works with the MMU off and on.
#include "machine/console.h"

#include "machine/rpi3/console.h"
#include "machine/rpi3/layout.h"
#include "machine/rpi3/pl011_registers.h"

namespace {

// What is needed of the pins here; drivers/gpio.h has it all. BCM2835 ARM Peripherals 6.1.
struct PinRegisters {
    Register function_select[6];
    uint32_t reserved[31];
    Register pull;
    Register pull_clock[2];
};
constexpr uint64_t pins_physical = 0x3f20'0000;

// Device registers at their physical address until the MMU is on (SCTLR_EL1.M, ARM ARM D17.2.118).
template <typename Block>
Block& registers_at(uint64_t physical) {
    uint64_t sctlr;
    asm("mrs %0, sctlr_el1" : "=r"(sctlr));
    return *reinterpret_cast<Block*>(physical + ((sctlr & 1) != 0 ? layout::linear_map : 0));
}

// Accesses to two peripherals may arrive out of order (BCM2835 ARM Peripherals 1.3).
void device_barrier() { asm volatile("dsb sy" ::: "memory"); }

// The 150 cycles that 6.1 asks for around a clocked pull are the peripherals', of 4 ns and more; ours may be of 0.7 ns.
void wait_for_pins() {
    for (unsigned cycles = 150 * 8; cycles != 0; --cycles) {
        asm volatile("nop");
    }
}

// Pins 14 and 15 to the PL011 (alternate function 0), no pull; 32 and 33, where the firmware may have connected it to
// the Bluetooth chip, become inputs.
void connect_pins() {
    auto& pins = registers_at<PinRegisters>(pins_physical);
    using Pin14And15 = BitField<uint32_t, 12, 17>;
    using Pin32And33 = BitField<uint32_t, 6, 11>;
    constexpr uint32_t alternate_0_both = 4 | 4 << 3;
    pins.function_select[3].write(Pin32And33::set(pins.function_select[3].read(), 0));
    pins.function_select[1].write(Pin14And15::set(pins.function_select[1].read(), alternate_0_both));
    pins.pull.write(0);
    wait_for_pins();
    pins.pull_clock[0].write(1u << 14 | 1u << 15);
    wait_for_pins();
    pins.pull_clock[0].write(0);
    device_barrier();
}

// A loader's last words, or those of a driver that panicked: bounded, because a UART without a clock is busy for ever. A full
// FIFO at 115200 baud takes 3 ms; a look at the flags takes no less than 50 ns.
void wait_until_sent(Pl011Registers& uart) {
    for (unsigned looks = 200'000; looks != 0 && pl011::flags::Busy::get(uart.flags.read()) != 0; --looks) {
        asm volatile("yield");
    }
}

void put_byte(Pl011Registers& uart, char c) {
    while (pl011::flags::TransmitFull::get(uart.flags.read()) != 0) {
        asm volatile("yield");
    }
    uart.data.write(static_cast<unsigned char>(c));
}

}  // namespace

namespace console {

void start() {
    device_barrier();
    connect_pins();
    auto& uart = registers_at<Pl011Registers>(pl011::physical);
    wait_until_sent(uart);          // before it is switched off (DDI 0183 3.3.8)
    uart.control.write(0);
    uart.interrupt_mask.write(0);
    uart.interrupt_clear.write(pl011::interrupt::all);
    // The firmware's default clock of 48 MHz: 48'000'000 / (16 * 115'200) = 26 + 3/64. The driver asks for the true one.
    uart.integer_divisor.write(26);
    uart.fractional_divisor.write(3);
    uart.line_control.write(pl011::line::WordLength::of(3) | pl011::line::Fifos::of(1));
    uart.control.write(pl011::control::Enable::of(1) | pl011::control::Transmit::of(1) | pl011::control::Receive::of(1));
    device_barrier();
}

void put(std::string_view text) {
    device_barrier();
    auto& uart = registers_at<Pl011Registers>(pl011::physical);
    for (char c : text) {
        if (c == '\n') {
            put_byte(uart, '\r');
        }
        put_byte(uart, c);
    }
    device_barrier();
}

void flush() {
    wait_until_sent(registers_at<Pl011Registers>(pl011::physical));
    device_barrier();
}

}  // namespace console
