// Starting the devices.
#include "drivers/devices.h"

#include "drivers/interrupts.h"
#include "machine/rpi3/device.h"

namespace devices {

constinit Gpio gpio;
constinit Mailbox mailbox;
constinit BoardInfo board;
constinit ActivityLed led;
constinit Pl011 console;
constinit MiniUart second_line;
constinit HardwareRandom noise;
constinit RandomPool random;
constinit Watchdog watchdog;
constinit CrashLog crash_log;

using device::registers_at;

static uint32_t hertz_or(uint32_t hertz, uint32_t otherwise) { return hertz != 0 ? hertz : otherwise; }

static void start_line(SerialPort& port, Line line) {
    interrupts::set_handler(line, &SerialPort::on_interrupt, &port);
    interrupts::enable(line);
}

void put_text(std::string_view text) { console.put_text(text); }

void start_firmware() {
    mailbox.start(registers_at<MailboxRegisters>(mailbox_physical));
    board = identify_board(mailbox);
}

void start(const Options& options) {
    gpio.start(registers_at<GpioRegisters>(gpio_physical));
    watchdog.start(registers_at<PowerRegisters>(power_manager::physical));
    start_firmware();

    interrupts::controller.start(local_interrupts(), registers_at<PeripheralInterruptRegisters>(interrupts_physical));
    Pl011::connect_pins(gpio);
    const uint32_t uart_hertz = hertz_or(board.uart_hertz, default_uart_hertz);
    if (console.start(registers_at<Pl011Registers>(pl011::physical), uart_hertz, baud).ok()) {
        start_line(console, Line::Uart);
    }
    const uint32_t core_hertz = hertz_or(board.core_hertz, default_core_hertz);
    if (second_line.start(registers_at<AuxRegisters>(aux_physical), core_hertz, baud, false).ok()) {
        start_line(second_line, Line::Aux);
    }

    if (options.seeded) {
        random.start_with_seed(options.seed);
    } else {
        noise.start(registers_at<RandomRegisters>(random_physical));
        random.start(noise);
        random.mix(&board.serial, sizeof(board.serial));
    }
    led.start(activity_led(board.revision), gpio, mailbox);
}

}  // namespace devices
