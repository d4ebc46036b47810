// Lab 1: zones. The contract is zone.h, the handout labs/lab1/README.md.
//
// Begin with one lock a zone, pages cut into elements, and a list of the free ones. Limit, misuse, pages given back
// and the caches of the cores come one after the other; the kernel boots from step 2 of the handout on.
#include "mm/zone.h"

#include "base/list.h"
#include "machine/spin_lock.h"
#include "mm/page.h"

class Zone {
public:
    explicit Zone(const ZoneOptions& options) : options_(options) {}

    ListNode list_link;     // all zones, in the order of their making

private:
    const ZoneOptions options_;
    SpinLock lock_{LockRank::Zone, "zone"};
    // What do you need to remember of each page? Of each element? Where does that lie?
};

// The objects of type Zone have to lie somewhere too, before there is any zone to take them from.
Result<Zone&> zone_create(const ZoneOptions&) { return Error::NotImplemented; }

void zone_destroy(Zone&) {}

Result<void*> zalloc(Zone&, ZallocOptions) { return Error::NotImplemented; }

void zfree(Zone&, void*) {}

ZoneStats zone_stats(Zone&) { return {}; }

Zone* zone_next(Zone*) { return nullptr; }

PageCount zone_reclaim() { return PageCount(0); }
