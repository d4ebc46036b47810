// Where the firmware keeps the cores that it did not start: each sleeps by WFE, reads its slot with caches off, and jumps to
// the address that it finds there (arm64 boot protocol, "spin-table").
#pragma once

#include <cstdint>

#include "base/types.h"
#include "machine/cpu.h"

class DeviceTree;

struct SpinTable {
    using OwnSlots = volatile uint64_t (&)[max_cores];

    PhysAddr slot[max_cores];
    // From the device tree, whose addresses count if they lie in RAM; else the firmware's usual slots.
    static SpinTable from(const DeviceTree* tree);

    // All cores but 0 go on at `entry`: those in the firmware's table, and those in `own`, which is ours.
    void call(OwnSlots own, PhysAddr entry) const;
};
