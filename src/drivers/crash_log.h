// What the kernel said when it crashed, in memory that a reset leaves alone: the next boot shows it, once.
//
//     magic | length | checksum of the text | text ...
//
// Whoever panics writes it, alone: no lock. A loader's garbage has no right checksum. After power-off it is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

class CrashLog {
public:
    // Below the image, where no loader puts anything and boot clears nothing. Kept from the page allocator.
    static constexpr uint64_t physical = 0x5'0000;
    static constexpr size_t bytes = 0x8000;

    constexpr CrashLog() = default;
    void start(void* memory) { memory_ = static_cast<Memory*>(memory); }

    // What an earlier run left; empty: nothing. Until forget() or add().
    std::string_view left() const;
    void forget();

    // Of this run's end. The first call begins a new text; what does not fit is left out.
    void add(std::string_view text);
    // What was added until now is whole, and in memory itself: a reset loses what is only in a cache (ARM ARM B2.4.6). Again at any time.
    void keep();

private:
    struct Memory {
        uint64_t magic, length, checksum;
        char text[bytes - 3 * sizeof(uint64_t)];
    };
    static_assert(sizeof(Memory) == bytes);
    static constexpr uint64_t right_magic = 0x6873'6172'6320'7473;

    void clean(size_t text_bytes) const;

    Memory* memory_ = nullptr;      // none: nothing is kept
    size_t length_ = 0;
};
