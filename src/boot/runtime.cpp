// What the compiler and the freestanding headers expect to find behind them.
#include <atomic>
#include <cstddef>

#include "base/panic.h"
#include "machine/cpu.h"

namespace std {

// string_view::substr and at, with a position beyond the end.
[[noreturn]] void __throw_out_of_range_fmt(const char* format, ...) { panic(format); }

}  // namespace std

extern "C" {

[[noreturn]] void __cxa_pure_virtual() { panic("a pure virtual function was called"); }

// A function's static object, whose first use may come on several cores at once (Itanium C++ ABI 3.3.3). The compiler
// looks at the first byte; the second says that somebody is at work.
using Guard = std::atomic<uint8_t>[8];

int __cxa_guard_acquire(Guard* guard) {
    for (;;) {
        if ((*guard)[0].load(std::memory_order_acquire) != 0) {
            return 0;
        }
        if ((*guard)[1].exchange(1, std::memory_order_acquire) == 0) {
            if ((*guard)[0].load(std::memory_order_acquire) == 0) {
                return 1;
            }
            (*guard)[1].store(0, std::memory_order_release);
        }
        cpu::relax();
    }
}

void __cxa_guard_release(Guard* guard) {
    (*guard)[0].store(1, std::memory_order_release);
    (*guard)[1].store(0, std::memory_order_release);
}

// Static objects live for ever: their destructors are never run.
int atexit(void (*)()) { return 0; }

}

// A class with a virtual destructor names these; nothing of ours is made by new.
void operator delete(void*) noexcept { panic("operator delete was called"); }
void operator delete(void*, size_t) noexcept { panic("operator delete was called"); }
