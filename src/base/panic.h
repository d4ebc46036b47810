// The end of the run: one of our own invariants broke. Exhaustion and bad input never come here.
#pragma once

#include <cstdint>

// Prints `message` with the caller's place, stops the other cores, prints every core's backtrace and
// held locks, ends the run with a failing status. On the host it throws, so that a test can demand it.
// `a` and `b` are two numbers worth seeing with the message (an address, a count); the message says which.
[[noreturn]] void panic(const char* message, uint64_t a = 0, uint64_t b = 0);

// Asserts an invariant of ours. Always compiled in; the expression must have no effects.
#define ASSERT(condition)                                                                               \
    do {                                                                                                \
        if (!(condition)) [[unlikely]] {                                                                \
            panic("assertion failed: " #condition);                                                     \
        }                                                                                               \
    } while (false)
