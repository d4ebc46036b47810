// What an exception was, in words, and the end of the run by one. boot/exception_text.cpp and boot/panic.cpp.
#pragma once

#include "base/format.h"
#include "kernel/entry/trap.h"

// ESR_EL1 and FAR_EL1 as one clause without a newline: "data abort: write to 0x10, translation fault at level 1".
void describe_exception(TextSink sink, uint64_t syndrome, uint64_t address);

// The same with the frame's registers before the backtrace, which begins at the frame's pc.
[[noreturn]] void panic_at(const KernelFrame& frame, const char* message, uint64_t syndrome, uint64_t address);
