// A panic that a test demands. On the host only, where panic() throws.
#pragma once

#include <string>

#include "CppUTest/TestHarness.h"

#include "host/machine/host.h"
#include "machine/spin_lock.h"

// The message of the panic in which `call` ends; the test fails if it comes back. Locks that the call still holds, because
// its code is compiled without exceptions, are let go.
template <typename Call>
std::string must_panic(Call call) {
    const bool interrupts_were_on = cpu::interrupts_on();
    std::string message;
    try {
        call();
    } catch (const host::Panic& panic) {
        message = panic.message;
    }
    HeldLocks& held = cpu::current().held;
    while (!held.none()) {
        held.innermost->release();
    }
    cpu::restore_interrupts(interrupts_were_on);
    CHECK_FALSE_TEXT(message.empty(), "no panic where one was due");
    return message;
}
