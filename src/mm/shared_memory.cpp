// Shared anonymous memory. See shared_memory.h.
#include "mm/shared_memory.h"

namespace {
Zone* shared_memory_zone = nullptr;
}

Result<> SharedMemory::init() {
    return zone_create(shared_memory_zone, {.name = "shared_memory", .element_size = sizeof(SharedMemory)});
}

Zone& SharedMemory::zone() { return *shared_memory_zone; }

Result<Ref<SharedMemory>> SharedMemory::create(PageCount size) {
    PageTable table = TRY(PageTable::create());
    auto memory = TRY(zone_new<SharedMemory>({}, size, std::move(table)));
    return Ref<SharedMemory>::adopt(*memory.release());
}

void SharedMemory::last_reference_gone() { ZoneDelete<SharedMemory>{}(*this); }

Result<PhysAddr> SharedMemory::page(uint64_t index) {
    if (index >= size_.value) {
        return Error::Range;
    }
    UserAddr key(index << page_shift);
    PageRef fresh;      // made without the lock, so that memory may be reclaimed for it
    for (;;) {
        {
            SpinGuard guard(lock_);
            Descriptor* entry = pages_.find(key);
            if (entry != nullptr && entry->valid()) {
                pages::share(entry->address());
                return entry->address();
            }
            if (fresh) {
                PhysAddr page = fresh.address();
                TRY(pages_.map(key, std::move(fresh), Protection::read_write(), true, false));
                pages::share(page);
                return page;
            }
        }
        fresh = TRY(PageRef::allocate_zeroed(PageUse::Anonymous));
    }
}
