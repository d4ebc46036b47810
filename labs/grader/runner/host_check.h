// What checks of the host tier share: panics that must happen.
#pragma once

#include "CppUTest/TestHarness.h"

#include "machine/host.h"

// While it is set, a panic is what the check waits for: it has passed, and its process ends there, for what panics may hold
// locks that nobody will let go.
extern bool panic_is_due;

// The last statement of a check: it passes if `call` panics, and fails if it returns.
#define MUST_PANIC(call)                            \
    do {                                            \
        panic_is_due = true;                        \
        call;                                       \
        panic_is_due = false;                       \
        FAIL("a panic was due: " #call);            \
    } while (false)
