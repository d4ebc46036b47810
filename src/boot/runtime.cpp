// What the compiler and the freestanding headers expect to find behind them.
#include <cstddef>

#include "base/panic.h"

namespace std {

// string_view::substr and at, with a position beyond the end.
[[noreturn]] void __throw_out_of_range_fmt(const char* format, ...) { panic(format); }

}  // namespace std

extern "C" {

[[noreturn]] void __cxa_pure_virtual() { panic("a pure virtual function was called"); }

// Static objects live for ever: their destructors are never run.
int atexit(void (*)()) { return 0; }

}

// A class with a virtual destructor names these; nothing of ours is made by new.
void operator delete(void*) noexcept { panic("operator delete was called"); }
void operator delete(void*, size_t) noexcept { panic("operator delete was called"); }
