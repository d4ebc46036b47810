// The four cores between the spin table and the scheduler.
#pragma once

#include "base/types.h"
#include "drivers/device_tree.h"
#include "machine/cpu.h"

// Gives the calling core a ThreadBase, so that locks work; opens FIQs for the stop of a panic. Interrupts stay off.
void enter_core(unsigned core);

// True for the ThreadBase that a core had before the scheduler gave it a thread.
bool is_boot_thread(const ThreadBase& base);

// True once the core has come to life. Core 0 always has.
bool core_is_online(unsigned core);

// Where each core waits for an address: from the device tree, or the firmware's usual slots.
struct SpinTable {
    PhysAddr slot[max_cores];
    static SpinTable from(const DeviceTree* tree);
};

// Starts core `core` at secondary_entry and waits for it, a second at most. False: it did not come.
bool start_core(unsigned core, const SpinTable& table);
// Sends a core that the kernel will not use from the spin table into a WFI loop.
void park_core(unsigned core, const SpinTable& table);
