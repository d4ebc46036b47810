// The ring of the kernel log.
//
// Positions count bytes ever logged and never wrap; a byte is at its position modulo the ring's size.
#include "kernel/log.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "machine/clock.h"
#include "machine/console.h"
#include "machine/spin_lock.h"

namespace {

constexpr size_t ring_size = 16'384;
constexpr size_t line_size = 256;

SpinLock lock{LockRank::Log, "log"};
char ring[ring_size] GUARDED_BY(lock);
uint64_t written GUARDED_BY(lock) = 0;
uint64_t shown GUARDED_BY(lock) = 0;
bool quiet GUARDED_BY(lock) = false;

std::atomic<bool> unshown{false};       // a hint for log_show()
std::atomic<bool> showing{false};       // some core carries text to the console
std::atomic<void (*)(std::string_view)> output{console::put};

void append(std::string_view text) REQUIRES(lock) {
    for (char c : text) {
        ring[written++ % ring_size] = c;
    }
    if (quiet || written - shown > ring_size) {
        shown = quiet ? written : written - ring_size;
    }
}

// The next piece to show, at most `capacity` bytes.
size_t next_piece(char* piece, size_t capacity) {
    SpinGuard guard(lock);
    size_t length = 0;
    while (shown < written && length < capacity) {
        piece[length++] = ring[shown++ % ring_size];
    }
    return length;
}

// What the lines of programs may take: a fifth of a serial line at 115200 baud, so that everybody else's come through.
constexpr Nanoseconds time_of_program_line = 50'000'000;
constexpr Nanoseconds program_lines_ahead = 100 * time_of_program_line;
Nanoseconds program_lines_until GUARDED_BY(lock) = 0;   // when all that were admitted have had their time
uint64_t lines_left_out GUARDED_BY(lock) = 0;

// May a line of a program's come? Then how many did not since the last one that did.
bool admit_program_line(uint64_t& left_out) {
    const Nanoseconds now = machine_clock::now();
    SpinGuard guard(lock);
    const Nanoseconds begin = std::max(program_lines_until, now);
    if (begin - now >= program_lines_ahead) {
        ++lines_left_out;
        return false;
    }
    program_lines_until = begin + time_of_program_line;
    left_out = std::exchange(lines_left_out, 0);
    return true;
}

bool spin_lock_held() {
    InterruptGuard guard;
    return !cpu::current().held.none();
}

}  // namespace

void vlog(std::string_view format, const FormatArgument* arguments, size_t count) {
    TextBuffer<line_size> line;
    vformat({[](void* to, std::string_view text) { static_cast<TextBuffer<line_size>*>(to)->add("{}", text); }, &line},
            format, arguments, count);
    {
        SpinGuard guard(lock);
        append(line.text());
        append("\n");
    }
    unshown.store(true, std::memory_order_seq_cst);
    log_show();
}

void vlog_of_program(std::string_view format, const FormatArgument* arguments, size_t count) {
    uint64_t left_out = 0;
    if (!admit_program_line(left_out)) {
        return;
    }
    if (left_out != 0) {
        log("{} lines of programs are left out here", left_out);
    }
    vlog(format, arguments, count);
}

void log_show() {
    while (log_show_piece()) {
    }
}

bool log_show_piece() {
    // Whoever finds somebody showing leaves its text to that one, who looks again after it has let go.
    if (!unshown.load(std::memory_order_seq_cst) || spin_lock_held() || showing.exchange(true, std::memory_order_seq_cst)) {
        return false;
    }
    unshown.store(false, std::memory_order_seq_cst);
    char piece[line_size];
    if (const size_t length = next_piece(piece, sizeof piece); length != 0) {
        output.load(std::memory_order_relaxed)({piece, length});
        unshown.store(true, std::memory_order_seq_cst);     // there may be more
    }
    showing.store(false, std::memory_order_seq_cst);
    return unshown.load(std::memory_order_seq_cst);
}

bool log_set_quiet(bool wanted) {
    SpinGuard guard(lock);
    shown = written;
    return std::exchange(quiet, wanted);
}

void log_set_output(void (*put)(std::string_view text)) { output.store(put, std::memory_order_relaxed); }

size_t log_read(char* to, size_t capacity) {
    SpinGuard guard(lock);
    uint64_t from = written > ring_size ? written - ring_size : 0;
    if (written - from > capacity) {
        from = written - capacity;
    }
    // A line that does not fit as a whole is left out.
    if (from != 0) {
        while (from < written && ring[(from - 1) % ring_size] != '\n') {
            ++from;
        }
    }
    size_t length = 0;
    for (; from < written; ++from) {
        to[length++] = ring[from % ring_size];
    }
    return length;
}
