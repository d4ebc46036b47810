// Which Raspberry Pi this is, by the revision code that the firmware reports, and what differs between them.
#pragma once

#include <string_view>

#include "base/bits.h"
#include "base/types.h"
#include "drivers/gpio.h"
#include "drivers/mailbox.h"

// The "new style" code ("Raspberry Pi revision codes" of the Raspberry Pi documentation).
struct RevisionCode {
    uint32_t word = 0;

    using Stepping = BitField<uint32_t, 0, 3>;
    using Type = BitField<uint32_t, 4, 11>;
    using Processor = BitField<uint32_t, 12, 15>;
    using Manufacturer = BitField<uint32_t, 16, 19>;
    using Memory = BitField<uint32_t, 20, 22>;          // 256 MiB << n
    using NewStyle = BitField<uint32_t, 23>;

    bool new_style() const { return NewStyle::get(word) != 0; }
    std::string_view model() const;                     // "Raspberry Pi 3 Model B", or "unknown board"
    std::string_view processor() const;                 // "BCM2837"
    uint32_t stepping() const { return Stepping::get(word); }
    uint32_t memory_mebibytes() const;                  // fitted, the VideoCore's part included; 0 if not known
};

// How the green light is connected.
enum class LedWiring : uint8_t { None, Gpio29, Gpio29Low, Expander130 };
LedWiring activity_led(RevisionCode revision);

// What the firmware says of the machine; a question that it does not answer leaves the value at 0.
struct BoardInfo {
    RevisionCode revision;
    uint64_t serial = 0;
    uint32_t firmware = 0;              // seconds since 1970 of its build
    uint8_t mac[6] = {};
    PhysAddr memory_start{}, memory_end{};  // the ARM's part; empty if not known
    uint32_t arm_hertz = 0, core_hertz = 0, uart_hertz = 0;
};
BoardInfo identify_board(Mailbox& mailbox);

// The firmware's UART clock if it does not say: 48 MHz, its default since 2016.
inline constexpr uint32_t default_uart_hertz = 48'000'000;
// And its core clock, from which the mini-UART is driven.
inline constexpr uint32_t default_core_hertz = 250'000'000;

// The green light.
class ActivityLed {
public:
    constexpr ActivityLed() = default;
    void start(LedWiring wiring, Gpio& gpio, Mailbox& mailbox);
    void set(bool lit);

private:
    LedWiring wiring_ = LedWiring::None;
    Gpio* gpio_ = nullptr;
    Mailbox* mailbox_ = nullptr;
};
