// LineDiscipline: what a terminal makes of the bytes that are typed and printed. Pure: no lock, no device.
//
// The ring holds cells: bytes with marks. Cells [read_, committed_) can be read; [committed_, typed_) is the line being
// edited, empty in raw mode. What is typed ahead of its reader outlives a change of mode: bytes of raw mode that nobody has
// read are typed again when the terminal goes back to lines, so that a shell's line editor swallows nothing that was meant
// for the program it starts. The owner (Terminal) holds its lock around every call. Counterpart: ttyinput, ttypend.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/forklore.h"

// Where echo goes: collected first, sent by the owner.
class EchoBuffer {
public:
    void put(uint8_t byte) {
        if (count_ < sizeof bytes_) {
            bytes_[count_++] = byte;
        }
    }
    std::span<const uint8_t> bytes() const { return {bytes_, count_}; }
    void clear() { count_ = 0; }
    size_t room() const { return sizeof bytes_ - count_; }

private:
    uint8_t bytes_[256];
    size_t count_ = 0;
};

class LineDiscipline {
public:
    using Cell = uint16_t;

    LineDiscipline();
    // The ring's memory; its size is a power of two. Before anything else.
    void use_ring(std::span<Cell> ring) { ring_ = ring; }

    const ForkloreTermios& settings() const { return settings_; }
    // New settings; `flush` drops unread input. Otherwise it stays: to raw mode all of it is readable at once; from raw mode
    // the owner calls retype() until it returns false, before anything else.
    void change_settings(const ForkloreTermios& settings, bool flush);

    struct Effect {
        int signal = 0;             // to the foreground group
        bool readable = false;      // a reader may find something new
        bool output_changed = false;// VSTOP or VSTART
    };
    Effect typed(uint8_t byte, EchoBuffer& echo);
    // Types the next byte that waits for it since change_settings(); false if none does. `echo` is empty before.
    bool retype(Effect& effect, EchoBuffer& echo);

    bool canonical() const { return (settings_.local & FL_ICANON) != 0; }
    bool output_stopped() const { return output_stopped_; }
    // Canonical: a whole line (or end of file) waits. Raw: at least `minimum` bytes.
    bool ready(size_t minimum) const;
    size_t available() const;       // bytes that a read could return, for FIONREAD
    // Takes bytes out: canonical mode up to the end of the line. `line_ended` when that was reached: end of file is 0
    // bytes and line_ended.
    size_t take(uint8_t* to, size_t count, bool& line_ended);

    // What is sent for `count` printed bytes; `to` has room for twice as many.
    size_t print(const uint8_t* bytes, size_t count, uint8_t* to) const;

private:
    static constexpr Cell line_end = 0x100;         // the last byte of a line
    static constexpr Cell file_end = 0x200;         // no byte: end of file was typed
    static constexpr Cell unedited = 0x400;         // typed in raw mode: means nothing but itself so far
    static constexpr Cell echoed = 0x800;           // ... and was shown then
    bool is(unsigned which, uint8_t byte) const { return settings_.cc[which] == byte && byte != 0; }
    bool local(uint32_t flag) const { return (settings_.local & flag) != 0; }
    bool push(Cell cell);
    void lines_become_bytes(uint8_t end_of_file);
    void drop_input();
    void commit_line(Effect& effect);
    bool signal_character(uint8_t byte, Effect& effect, EchoBuffer& echo);
    bool edit_character(uint8_t byte, Effect& effect, EchoBuffer& echo);
    bool erase_one(EchoBuffer& echo);
    void erase_word(EchoBuffer& echo);
    void echo_byte(uint8_t byte, EchoBuffer& echo) const;
    Cell& cell(uint32_t at) { return ring_[at & (ring_.size() - 1)]; }
    Cell cell(uint32_t at) const { return ring_[at & (ring_.size() - 1)]; }

    ForkloreTermios settings_{};
    std::span<Cell> ring_;
    uint32_t read_ = 0, committed_ = 0, typed_ = 0;     // rise for ever; modulo the ring's size
    uint32_t again_ = 0, again_end_ = 0;                // to be typed again; empty but between change and retype
    uint32_t lines_ = 0;                                // marks in [read_, committed_); canonical mode only
    bool output_stopped_ = false;
};
