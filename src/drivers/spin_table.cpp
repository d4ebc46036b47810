// Slots, and what makes a store in one of them seen by a core without caches.
#include "drivers/spin_table.h"

#include "drivers/device_tree.h"
#include "machine/ram.h"
#include "machine/rpi3/dma.h"

// RAM that we map cached and the waiting core reads uncached: it goes to the point of coherency. While cores wait nobody
// else writes to the line that the slot is in.
static void write_slot(volatile uint64_t& slot, PhysAddr entry) {
    slot = entry.value;
    dma::clean_and_invalidate(const_cast<uint64_t*>(&slot), sizeof(slot));
}

SpinTable SpinTable::from(const DeviceTree* tree) {
    SpinTable table;
    for (unsigned core = 0; core < max_cores; ++core) {
        table.slot[core] = PhysAddr(0xd8 + 8 * core);
        if (tree != nullptr) {
            const uint64_t release = tree->release_address(core);
            if (release != 0 && release % 8 == 0 && PhysAddr(release) < ram::extent().end) {
                table.slot[core] = PhysAddr(release);
            }
        }
    }
    return table;
}

void SpinTable::call(OwnSlots own, PhysAddr entry) const {
    for (unsigned core = 1; core < max_cores; ++core) {
        write_slot(*ram::at<volatile uint64_t>(slot[core]), entry);
        write_slot(own[core], entry);
    }
    cpu::send_event();
}
