// Dispatching interrupts.
#include "drivers/interrupts.h"

#include <bit>

#include "machine/rpi3/device.h"

constinit InterruptController interrupts::controller;

static constexpr uint32_t source_bit(LocalSource source) { return 1u << static_cast<uint32_t>(source); }

void InterruptController::start(LocalInterruptRegisters& local, PeripheralInterruptRegisters& peripherals) {
    device::barrier();
    // Firmware or a boot loader may have left lines on.
    peripherals.fast_control.write(0);
    peripherals.disable[0].write(~0u);
    peripherals.disable[1].write(~0u);
    peripherals.basic_disable.write(0xff);
    device::barrier();
    local.gpu_interrupt_routing.write(0);
    device::barrier();
    peripherals_ = &peripherals;
    local_ = &local;
}

void InterruptController::set_handler(Line line, Handler handler, void* context) {
    Slot& slot = slots_[static_cast<size_t>(line)];
    slot.context = context;
    slot.handler.store(handler, std::memory_order_release);
}

void InterruptController::enable(Line line) {
    const auto number = static_cast<unsigned>(line);
    device::barrier();
    if (number < first_peripheral) {
        set_local(line, true);
    } else if (number < first_basic) {
        const unsigned n = number - first_peripheral;
        peripherals_->enable[n / 32].write(1u << (n % 32));
    } else {
        peripherals_->basic_enable.write(1u << (number - first_basic));
    }
    device::barrier();
}

void InterruptController::disable(Line line) {
    const auto number = static_cast<unsigned>(line);
    device::barrier();
    if (number < first_peripheral) {
        set_local(line, false);
    } else if (number < first_basic) {
        const unsigned n = number - first_peripheral;
        peripherals_->disable[n / 32].write(1u << (n % 32));
    } else {
        peripherals_->basic_disable.write(1u << (number - first_basic));
    }
    device::barrier();
}

// The control words of a core are written by that core alone, so no lock. Their bit n is IRQ of timer
// or mailbox n (QA7 rev3.4, 4.6 and 4.7).
void InterruptController::set_local(Line line, bool on) {
    const unsigned core = cpu::current().id;
    const auto number = static_cast<uint32_t>(line);
    constexpr auto first_mailbox = static_cast<uint32_t>(LocalSource::Mailbox0);
    constexpr auto gpu = static_cast<uint32_t>(LocalSource::Gpu);
    if (line == Line::PerformanceMonitor) {
        (on ? local_->performance_routing_set : local_->performance_routing_clear).write(1u << core);
        return;
    }
    ASSERT(number < gpu);
    Register& control = number < first_mailbox ? local_->core_timer_interrupts[core] : local_->mailbox_interrupts[core];
    const uint32_t bit = 1u << (number % 4);
    control.write(on ? control.read() | bit : control.read() & ~bit);
}

void InterruptController::dispatch() {
    const unsigned core = cpu::current().id;
    device::barrier();
    // A handler may take long enough for the next to come; a bound, so that a stuck line can not keep us.
    for (unsigned round = 0; round < 8; ++round) {
        uint32_t sources = local_->irq_source[core].read();
        if (sources == 0) {
            break;
        }
        if ((sources & source_bit(LocalSource::Mailbox0)) != 0) {
            // Cleared first: a call that arrives while the handler runs is a new interrupt.
            Register& mailbox = local_->mailbox_clear[core].mailbox[local::call_mailbox];
            mailbox.write(mailbox.read());
            device::barrier();
        }
        if ((sources & source_bit(LocalSource::Gpu)) != 0) {
            sources &= ~source_bit(LocalSource::Gpu);
            dispatch_peripherals(core);
        }
        dispatch_word(sources, 0, core);
    }
    device::barrier();
}

void InterruptController::dispatch_peripherals(unsigned core) {
    device::barrier();
    // The pending words show enabled lines; on some steppings also others.
    const uint32_t low = peripherals_->pending[0].read() & peripherals_->enable[0].read();
    const uint32_t high = peripherals_->pending[1].read() & peripherals_->enable[1].read();
    const uint32_t basic = peripherals_->basic_pending.read() & peripherals_->basic_enable.read() & 0xff;
    device::barrier();
    dispatch_word(low, first_peripheral, core);
    dispatch_word(high, first_peripheral + 32, core);
    dispatch_word(basic, first_basic, core);
}

void InterruptController::dispatch_word(uint32_t pending, unsigned first_line, unsigned core) {
    while (pending != 0) {
        const auto n = static_cast<unsigned>(std::countr_zero(pending));
        pending &= pending - 1;
        call(first_line + n, core);
    }
}

void InterruptController::call(unsigned line, unsigned core) {
    if (line >= line_count) {
        return;
    }
    std::atomic<uint64_t>& count = counts_[core][line];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    Slot& slot = slots_[line];
    Handler handler = slot.handler.load(std::memory_order_acquire);
    if (handler != nullptr) {
        handler(slot.context);
        return;
    }
    unhandled_.fetch_add(1, std::memory_order_relaxed);
    if (line < static_cast<unsigned>(LocalSource::Gpu) || line == static_cast<unsigned>(Line::PerformanceMonitor) ||
        line >= first_peripheral) {
        disable(static_cast<Line>(line));
    }
}

uint64_t InterruptController::count(Line line, unsigned core) const {
    return counts_[core][static_cast<size_t>(line)].load(std::memory_order_relaxed);
}

uint64_t InterruptController::total() const {
    uint64_t sum = 0;
    for (const auto& row : counts_) {
        for (const auto& count : row) {
            sum += count.load(std::memory_order_relaxed);
        }
    }
    return sum;
}

std::string_view line_name(Line line) {
    switch (line) {
    case Line::PhysicalTimer: return "physical timer";
    case Line::VirtualTimer: return "virtual timer";
    case Line::Mailbox0: return "other core";
    case Line::PerformanceMonitor: return "performance monitor";
    case Line::SystemTimer1: return "system timer 1";
    case Line::SystemTimer3: return "system timer 3";
    case Line::Usb: return "usb";
    case Line::Dma0: return "dma 0";
    case Line::Aux: return "mini-uart";
    case Line::Gpio0: return "gpio";
    case Line::Uart: return "uart";
    case Line::Emmc: return "emmc";
    case Line::ArmTimer: return "arm timer";
    case Line::ArmMailbox: return "mailbox";
    case Line::Limit: break;
    }
    return "unnamed";
}
