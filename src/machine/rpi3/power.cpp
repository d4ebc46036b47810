// Power off and restart, both by the watchdog.
#include "machine/power.h"

#include "base/format.h"
#include "machine/console.h"
#include "machine/rpi3/layout.h"
#include "machine/rpi3/power_registers.h"

namespace power {

static void prepare() {
    asm volatile("msr daifset, #15" ::: "memory");
    if (before_end != nullptr) {
        before_end();
    }
}

void end(bool reset) {
    namespace pm = power_manager;
    asm volatile("msr daifset, #15\n\tdsb sy" ::: "memory");
    console::flush();
    auto& registers = *reinterpret_cast<PowerRegisters*>(layout::linear_map + pm::physical);
    const uint32_t status = registers.reset_status.read() & ~(pm::reset_status::partition_mask | pm::Password::mask);
    registers.reset_status.write(pm::password | status | (reset || reset_at_end ? 0 : pm::reset_status::halt));
    registers.watchdog.write(pm::password | pm::watchdog::Count::of(10));
    const uint32_t control = registers.reset_control.read() & ~pm::Password::mask;
    registers.reset_control.write(
        pm::password | pm::reset_control::Action::set(control, pm::reset_control::full_reset));
    for (;;) {
        asm volatile("wfi\n\tyield");
    }
}

void off(unsigned status) {
    prepare();
    TextBuffer<64> line;
    line.add("forklore: power off, status {}\n", status);
    console::put(line.text());
    end(false);
}

void restart() {
    prepare();
    console::put("forklore: restart\n");
    end(true);
}

}  // namespace power
