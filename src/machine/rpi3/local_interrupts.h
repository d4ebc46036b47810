// The interrupt hardware beside the four cores: timers, mailboxes, and where interrupts go.
//
// BCM2836 ARM-local peripherals, QA7 rev3.4, at 0x40000000. One bit a source in each core's pending word.
#pragma once

#include "base/bits.h"
#include "machine/rpi3/layout.h"
#include "machine/rpi3/register.h"

// QA7 rev3.4, chapter 4.
struct LocalInterruptRegisters {
    Register control;                       // 0x00: clock source of the generic timer
    uint32_t reserved0;
    Register core_timer_prescaler;          // 0x08: 2^31 / value; 0x80000000 is one to one
    Register gpu_interrupt_routing;         // 0x0c: which core gets the VideoCore peripherals' IRQ (bits 0-1), FIQ (2-3)
    Register performance_routing_set;       // 0x10
    Register performance_routing_clear;     // 0x14
    uint32_t reserved1;
    ReadOnlyRegister core_timer_low;        // 0x1c
    ReadOnlyRegister core_timer_high;       // 0x20
    Register local_interrupt_routing;       // 0x24
    uint32_t reserved2;
    Register axi_counters;                  // 0x2c
    Register axi_interrupt;                 // 0x30
    Register local_timer_control;           // 0x34
    Register local_timer_reload;            // 0x38
    uint32_t reserved3;
    Register core_timer_interrupts[4];      // 0x40: bits 0-3 IRQ, 4-7 FIQ of the generic timer's four lines
    Register mailbox_interrupts[4];         // 0x50: bits 0-3 IRQ, 4-7 FIQ of the core's four mailboxes
    ReadOnlyRegister irq_source[4];         // 0x60: LocalSource
    ReadOnlyRegister fiq_source[4];         // 0x70
    struct MailboxSet {
        WriteOnlyRegister mailbox[4];       // sets bits
    } mailbox_set[4];                       // 0x80
    struct MailboxClear {
        Register mailbox[4];                // reads the mailbox; ones written clear bits
    } mailbox_clear[4];                     // 0xc0
};
static_assert(sizeof(LocalInterruptRegisters) == 0x100);

// Bits of irq_source and fiq_source (QA7 4.10).
enum class LocalSource : uint32_t {
    SecurePhysicalTimer = 0,
    PhysicalTimer = 1,
    HypervisorTimer = 2,
    VirtualTimer = 3,       // ours: machine_clock::set_deadline
    Mailbox0 = 4,           // ours: cpu::interrupt_other
    Mailbox1 = 5,
    Mailbox2 = 6,
    Mailbox3 = 7,           // ours, as FIQ: a panic stops this core
    Gpu = 8,                // the VideoCore peripherals' interrupt controller
    PerformanceMonitor = 9,
    AxiOutstanding = 10,
    LocalTimer = 11,
};

namespace local {

inline constexpr uint64_t physical = 0x4000'0000;
inline constexpr unsigned call_mailbox = 0;     // inter-processor interrupt
inline constexpr unsigned stop_mailbox = 3;     // the stop of a panic, by FIQ: it arrives where IRQs are masked

// Bits of mailbox_interrupts.
constexpr uint32_t mailbox_irq(unsigned mailbox) { return 1u << mailbox; }
constexpr uint32_t mailbox_fiq(unsigned mailbox) { return 1u << (4 + mailbox); }

}  // namespace local

inline LocalInterruptRegisters& local_interrupts() {
    return *reinterpret_cast<LocalInterruptRegisters*>(layout::linear_map + local::physical);
}
