// What checks of the host tier share: panics that must happen.
#pragma once

#include "CppUTest/TestHarness.h"

#include "grader/runner/records.h"
#include "machine/host.h"

// Whether `call` ends in a panic, also one that a noexcept function does not let out.
bool panics(void (*call)(const void*), const void* with);
template <typename Call>
bool panics(const Call& call) {
    return panics([](const void* with) { (*static_cast<const Call*>(with))(); }, &call);
}

// The last statement of a check: it passes if `call` panics, and fails if it returns. Not even the teardown runs behind a panic, for
// what panics may hold locks that nobody will let go.
#define MUST_PANIC(call)                        \
    do {                                        \
        if (panics([&] { call; })) {            \
            end_check();                        \
        }                                       \
        FAIL("a panic was due: " #call);        \
    } while (false)
