// The machine's devices, one object each, at their addresses on the Pi 3.
#pragma once

#include "drivers/board.h"
#include "drivers/crash_log.h"
#include "drivers/gpio.h"
#include "drivers/mailbox.h"
#include "drivers/random.h"
#include "drivers/uart_mini.h"
#include "drivers/uart_pl011.h"
#include "drivers/watchdog.h"

namespace devices {

inline constexpr uint64_t interrupts_physical = 0x3f00'b200;
inline constexpr uint64_t mailbox_physical = 0x3f00'b880;
inline constexpr uint64_t random_physical = 0x3f10'4000;
inline constexpr uint64_t gpio_physical = 0x3f20'0000;
inline constexpr uint64_t aux_physical = 0x3f21'5000;
inline constexpr uint32_t baud = 115'200;

extern Gpio gpio;
extern Mailbox mailbox;
extern BoardInfo board;
extern ActivityLed led;
extern Pl011 console;           // the first -serial of QEMU
extern MiniUart second_line;    // the second
extern HardwareRandom noise;
extern RandomPool random;
extern Watchdog watchdog;
extern CrashLog crash_log;

struct Options {
    bool seeded = false;        // random numbers from `seed` alone, the same at each run
    uint64_t seed = 0;
};

// Everything, in order; on core 0, with the MMU on and interrupts off, once. The lines of both UARTs are enabled: their
// interrupts come as soon as core 0 takes any. What a device refuses is left out; the console then stays as the
// polled console left it, with what is written to it kept in its ring.
void start(const Options& options);

// Text to the console through its ring: for the kernel log (log_set_output). Like SerialPort::put_text.
void put_text(std::string_view text);

// The part of it that asks the firmware, for whoever needs the memory map before the rest: may be called before it.
void start_firmware();

}  // namespace devices
