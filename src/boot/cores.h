// The four cores between the spin table and the scheduler.
#pragma once

#include "base/types.h"
#include "drivers/spin_table.h"
#include "machine/cpu.h"

// Gives the calling core a ThreadBase, so that locks work; opens FIQs for the stop of a panic. Interrupts stay off.
void enter_core(unsigned core);

// True for the ThreadBase that a core had before the scheduler gave it a thread.
bool is_boot_thread(const ThreadBase& base);

// True once the core has come to life. Core 0 always has.
bool core_is_online(unsigned core);

// Takes the other cores out of the spin table, early: a core that polls it costs power, and QEMU half its speed. Each sleeps
// in wait_for_release() from then on. The number of cores that run, core 0 included.
unsigned call_cores(const SpinTable& table);

// The other cores go on, when everything they need exists.
void release_cores();
void wait_for_release();
