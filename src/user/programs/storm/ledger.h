// What the machine holds, to compare before and after.
#pragma once

#include "forklore/forklore.h"

namespace storm {

struct Ledger {
    static constexpr int most_zones = 48;

    ForkloreSysinfo system;
    ForkloreZoneInfo zones[most_zones];
    int zone_count;
    int descriptors;

    void take();
    long live(const char* zone) const;      // -1 without such a zone
    uint64_t zone_pages() const;
};

// Makes the kernel give back all memory that it keeps for later, by taking all there is.
void squeeze_memory();

// Waits until no process is left over from the storm, as long as their number goes down. Prints each difference; their number.
int differences_after(const Ledger& before);

// Forks until the kernel says no and compares with what it should have had room for, so that a lost pid or slot shows; then
// the same with a user's limit on processes. The number of mistakes.
int probe_capacity();

}  // namespace storm
