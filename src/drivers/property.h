// The VideoCore's property messages: questions and orders, each a tag with a few words in and out.
//
// The interface is described by the Raspberry Pi firmware project ("Mailbox property interface"); the manual of
// the chip does not have it. A tag is a struct: its number, then the words of its value buffer,
// which hold the question and, afterwards, the answer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace property {

enum class Clock : uint32_t { Emmc = 1, Uart = 2, Arm = 3, Core = 4 };
enum class PowerDevice : uint32_t { SdCard = 0, Uart0 = 1, Uart1 = 2, Usb = 3 };

struct FirmwareRevision { static constexpr uint32_t tag = 0x0000'0001; uint32_t revision = 0; };
struct BoardModel       { static constexpr uint32_t tag = 0x0001'0001; uint32_t model = 0; };
struct BoardRevision    { static constexpr uint32_t tag = 0x0001'0002; uint32_t revision = 0; };
struct MacAddress       { static constexpr uint32_t tag = 0x0001'0003; uint8_t bytes[8] = {}; static constexpr size_t answer_bytes = 6; };
struct BoardSerial      { static constexpr uint32_t tag = 0x0001'0004; uint32_t low = 0, high = 0; };
struct ArmMemory        { static constexpr uint32_t tag = 0x0001'0005; uint32_t base = 0, bytes = 0; };
struct VideoCoreMemory  { static constexpr uint32_t tag = 0x0001'0006; uint32_t base = 0, bytes = 0; };
// Bit 0 of the state: on. Bit 1: the device does not exist (answer), wait until it is stable (order).
struct GetPowerState    { static constexpr uint32_t tag = 0x0002'0001; PowerDevice device; uint32_t state = 0; };
struct SetPowerState    { static constexpr uint32_t tag = 0x0002'8001; PowerDevice device; uint32_t state = 0; };
struct GetClockRate     { static constexpr uint32_t tag = 0x0003'0002; Clock clock; uint32_t hertz = 0; };
struct SetClockRate     { static constexpr uint32_t tag = 0x0003'8002; Clock clock; uint32_t hertz; uint32_t keep_turbo = 1; static constexpr size_t answer_bytes = 8; };
struct GetMaximumClockRate { static constexpr uint32_t tag = 0x0003'0004; Clock clock; uint32_t hertz = 0; };
struct GetTemperature   { static constexpr uint32_t tag = 0x0003'0006; uint32_t sensor = 0, thousandths = 0; };     // of a degree Celsius
// Bit 0: voltage too low now; 1: frequency capped; 2: throttled; 3: near the limit of temperature; 16..19: the same at any time since
// power-on.
struct GetThrottled     { static constexpr uint32_t tag = 0x0003'0046; uint32_t flags = 0; };
// A pin of the I/O expander of the Pi 3B, numbered from 128.
struct SetExpanderPin   { static constexpr uint32_t tag = 0x0003'8041; uint32_t pin, high; static constexpr size_t answer_bytes = 0; };

template <typename Tag>
concept IsTag = sizeof(Tag) % 4 == 0 && requires { Tag::tag; };

// How many bytes an answer must have: the whole value, unless the tag says otherwise.
template <IsTag Tag>
constexpr size_t answer_bytes() {
    if constexpr (requires { Tag::answer_bytes; }) {
        return Tag::answer_bytes;
    } else {
        return sizeof(Tag);
    }
}

// One message with one tag, in the buffer that both sides share: whole cache lines, of its own.
class alignas(64) Message {
public:
    static constexpr size_t word_count = 32;
    static constexpr size_t header_words = 5;       // size, code; tag, room, length
    static constexpr size_t value_capacity = (word_count - header_words - 1) * 4;

    // Lays out a request; `bytes` is a multiple of 4, at most value_capacity.
    void build(uint32_t tag, const void* value, size_t bytes);
    // Takes the value out of an answer to build(tag, ...). Io: not an answer, or not to this tag. NotSupported:
    // the firmware does not know the tag, or answered less than `expected` bytes.
    Result<void> parse(uint32_t tag, void* value, size_t bytes, size_t expected) const;

    volatile uint32_t words[word_count];
};
static_assert(sizeof(Message) % 64 == 0);

}  // namespace property
