// Zones: named stores of elements of one size. The contract of lab 1; `zone.cpp` is the lab.
//
// A zone grows by whole pages from pages:: and hands out elements. Each core keeps a small cache of elements of
// each zone, so that the usual zalloc and zfree take no lock that another core wants.
// Counterpart in the original: zinit, zalloc, zalloc_noblock, zfree.
#pragma once

#include <new>
#include <utility>

#include "base/owned.h"
#include "base/result.h"
#include "base/types.h"

class Zone;     // what it is made of is zone.cpp's own affair

struct ZoneOptions {
    const char* name = "";          // must live for ever
    size_t element_size = 0;        // 1..2048 bytes; rounded up to a multiple of 16
    size_t limit = 0;               // elements that may be live at once; 0: as many as memory holds
    bool clear_on_free = false;     // wipe a freed element at once: it held secrets
};

struct ZallocOptions {
    bool wait = true;       // at the limit: sleep until an element is freed; else Error::TryAgain
    bool zero = false;      // element comes zeroed; else its contents are undefined
};

struct ZoneStats {
    const char* name = "";
    size_t element_size = 0;            // as rounded
    // Elements. `live` counts one from when it is promised to a caller, also to one that is still to wake up; a call that failed never
    // counts. Free ones lie in pages that the zone holds.
    size_t live = 0, peak = 0, free = 0;
    size_t pages = 0, limit = 0;
    uint64_t allocations = 0;           // ever
    uint64_t cache_hits = 0;            // those that took no shared lock
    uint64_t lock_acquisitions = 0;     // ever: how often zalloc, zfree and zone_reclaim took the zone's lock
};

// Makes a zone, which holds no page of elements yet: it grows by one page at a time, when no element is free. NoMemory, Invalid
// (size 0 or above 2048). Call before other cores allocate from it; the options are copied.
Result<Zone&> zone_create(const ZoneOptions& options);
// The same, for a pointer that a T::zone() hands out.
inline Result<> zone_create(Zone*& zone, const ZoneOptions& options) {
    Result<Zone&> made = zone_create(options);
    if (!made.ok()) {
        return made.error();
    }
    zone = &made.value();
    return {};
}
// Ends a zone of which no element is live (panics otherwise) and gives its pages back; a page that was taken for `Zone` objects, when
// none lies in it, at the next zone_reclaim at the latest. Nobody else uses it any more, but zone_reclaim and zone_next may be on
// their way past it on other cores.
void zone_destroy(Zone& zone);

// One element, 16-byte aligned, the caller's until zfree. The failpoint (base/failpoint.h) is asked once, first: NoMemory if it
// says so, and nothing has changed. No page left: NoMemory, for who holds memory must not wait for more.
// At the limit `wait` sleeps (thread context, no spin lock held); it is woken once, in its turn, when the element is its own.
// With ram::junk_everywhere the reference panics if it was written to while it was free, and says who had freed it.
Result<void*> zalloc(Zone& zone, ZallocOptions options = {});
// Gives an element back. Panics, naming the zone and the element, if it is no element of this zone or is free already.
void zfree(Zone& zone, void* element);

ZoneStats zone_stats(Zone& zone);
// Zones in the order of their making: zone_next(nullptr) is the first, nullptr ends.
Zone* zone_next(Zone* zone);
// Gives every wholly free page of every zone back, the cores' caches first as far as this core may touch them.
// The number of pages given back.
PageCount zone_reclaim();

// A T made in a zone element, and its owner.
template <typename T>
struct ZoneDelete {
    void operator()(T& object) const {
        Zone& zone = T::zone();
        object.~T();
        zfree(zone, &object);
    }
};
template <typename T>
using ZoneOwned = Owned<T, ZoneDelete<T>>;

template <typename T, typename... Arguments>
Result<ZoneOwned<T>> zone_new(ZallocOptions options, Arguments&&... arguments) {
    static_assert(alignof(T) <= 16);
    void* memory = TRY(zalloc(T::zone(), options));
    return ZoneOwned<T>(*new (memory) T(std::forward<Arguments>(arguments)...));
}
