// Which devices may interrupt, and who is told.
//
// Two controllers: each core's own sources (BCM2836), one of which is the VideoCore peripherals' controller
// (BCM2835), whose interrupts all go to core 0. Neither wants an end-of-interrupt: a line is quiet when its
// device is, so a handler ends by satisfying its device.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "machine/cpu.h"
#include "machine/rpi3/local_interrupts.h"
#include "machine/rpi3/register.h"
#include "machine/spin_lock.h"

// BCM2835 ARM Peripherals 7.5, at 0x3f00b200. Word 0 and 1: the 64 peripheral interrupts; "basic": the ARM side's eight.
struct PeripheralInterruptRegisters {
    ReadOnlyRegister basic_pending;
    ReadOnlyRegister pending[2];
    Register fast_control;              // one source as FIQ; 0: none
    Register enable[2];                 // ones written enable; reads back what is enabled
    Register basic_enable;
    Register disable[2];                // ones written disable
    Register basic_disable;
};
static_assert(sizeof(PeripheralInterruptRegisters) == 0x28);

// A source. 0..15: this core's (LocalSource); 16..79: the VideoCore's peripherals (BCM2835 ARM Peripherals 7.5, table of
// interrupts; DMA and others the table leaves out); 80..87: "basic" ones.
enum class Line : uint8_t {
    PhysicalTimer = 1,
    VirtualTimer = 3,
    Mailbox0 = 4,               // inter-processor
    PerformanceMonitor = 9,
    SystemTimer1 = 16 + 1,
    SystemTimer3 = 16 + 3,
    Usb = 16 + 9,
    Dma0 = 16 + 16,
    Aux = 16 + 29,              // mini-UART, SPI 1, SPI 2
    Gpio0 = 16 + 49,
    Uart = 16 + 57,             // PL011
    Emmc = 16 + 62,
    ArmTimer = 80,
    ArmMailbox = 81,
    Limit = 88,
};

class InterruptController {
public:
    using Handler = void (*)(void* context);
    static constexpr size_t line_count = static_cast<size_t>(Line::Limit);

    constexpr InterruptController() = default;

    // Once, on core 0, before any handler: everything of the peripherals off, and what comes goes to core 0.
    void start(LocalInterruptRegisters& local, PeripheralInterruptRegisters& peripherals);

    // `handler` is called with `context` in interrupt context: interrupts off, no spin lock held, on the core that
    // was interrupted. Set before the line is enabled; a line has one handler.
    void set_handler(Line line, Handler handler, void* context);
    // Sources of a core: of the calling core alone, interrupts off. Others: for all.
    void enable(Line line);
    void disable(Line line);

    // Calls the handlers of all that is pending on this core. Interrupts off. A line that nobody handles is
    // disabled and counted, rather than taken for ever.
    void dispatch();

    uint64_t count(Line line, unsigned core) const;
    uint64_t total() const;                 // of all lines and cores
    uint64_t unhandled() const { return unhandled_.load(std::memory_order_relaxed); }

private:
    static constexpr unsigned first_peripheral = 16;
    static constexpr unsigned first_basic = 80;

    struct Slot {
        std::atomic<Handler> handler{nullptr};
        void* context = nullptr;
    };

    void set_local(Line line, bool on);
    void call(unsigned line, unsigned core);
    void dispatch_peripherals(unsigned core);
    void dispatch_word(uint32_t pending, unsigned first_line, unsigned core);

    LocalInterruptRegisters* local_ = nullptr;
    PeripheralInterruptRegisters* peripherals_ = nullptr;
    Slot slots_[line_count];
    // Each core adds to its own row only, with interrupts off.
    std::atomic<uint64_t> counts_[max_cores][line_count] = {};
    std::atomic<uint64_t> unhandled_{0};
};

std::string_view line_name(Line line);

// The machine's one controller.
namespace interrupts {

extern InterruptController controller;

inline void set_handler(Line line, InterruptController::Handler handler, void* context) {
    controller.set_handler(line, handler, context);
}
inline void enable(Line line) { controller.enable(line); }
inline void disable(Line line) { controller.disable(line); }
inline void dispatch() { controller.dispatch(); }

}  // namespace interrupts
