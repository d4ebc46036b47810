// Address spaces: birth, copy for fork, end, and what can be asked of them. See address_space.h.
#include "mm/address_space.h"

#include "mm/shared_memory.h"

namespace {
Zone* address_space_zone = nullptr;
Zone* region_zone = nullptr;
}  // namespace

Result<> AddressSpace::init() {
    TRY(zone_create(address_space_zone, {.name = "address_space", .element_size = sizeof(AddressSpace)}));
    TRY(zone_create(region_zone, {.name = "region", .element_size = sizeof(Region)}));
    return SharedMemory::init();
}

Zone& AddressSpace::zone() { return *address_space_zone; }
Zone& Region::zone() { return *region_zone; }

Region::~Region() {
    if (source != nullptr) {
        source->unref_source();
    }
}

Result<Ref<AddressSpace>> AddressSpace::create() {
    auto space = TRY(zone_new<AddressSpace>({}));
    space->tables_ = TRY(PageTable::create());
    return Ref<AddressSpace>::adopt(*space.release());
}

void AddressSpace::last_reference_gone() { ZoneDelete<AddressSpace>{}(*this); }

// Region by region, so that only tables that can hold pages are looked through. Nobody else knows the space any more.
AddressSpace::~AddressSpace() NO_THREAD_SAFETY_ANALYSIS {
    id_.retire();
    while (Region* region = regions_.pop_front()) {
        tables_.unmap(region->start, region->end, nullptr);
        ZoneDelete<Region>{}(*region);
    }
}

Result<Ref<AddressSpace>> AddressSpace::clone(CopyMode mode) {
    Ref<AddressSpace> child = TRY(create());
    MutexGuard guard(mutex_);
    Result<> copied = copy_regions_to(*child, mode);
    if (mode == CopyMode::CopyOnWrite) {
        id_.forget_all();
    }
    TRY(copied);
    return child;
}

// The child is known to nobody yet: its mutex is not needed.
Result<> AddressSpace::copy_regions_to(AddressSpace& child, CopyMode mode) NO_THREAD_SAFETY_ANALYSIS {
    for (Region& region : regions_) {
        auto copy = TRY(zone_new<Region>({}, region.start, region.end, region.protection, region.kind));
        copy->shared = region.shared;
        copy->read_only = region.read_only;
        copy->first_page = region.first_page;
        if (region.source != nullptr) {
            region.source->ref_source();
            copy->source = region.source;
        }
        child.mapped_ += copy->bytes();
        child.regions_.push_back(*copy.release());      // they come in order: no search for the place
        TRY(copy_page_tables(child.tables_, tables_, region.start, region.end, mode));
    }
    child.heap_start_ = heap_start_;
    child.break_ = break_;
    child.limits_ = limits_;
    return {};
}

void AddressSpace::set_limits(const SpaceLimits& limits) {
    MutexGuard guard(mutex_);
    limits_ = limits;
}

PageCount AddressSpace::resident() {
    MutexGuard guard(mutex_);
    return tables_.resident();
}

uint64_t AddressSpace::mapped_bytes() {
    MutexGuard guard(mutex_);
    return mapped_;
}

size_t AddressSpace::regions(UserAddr from, RegionInfo* out, size_t count) {
    MutexGuard guard(mutex_);
    size_t n = 0;
    for (Region& region : regions_) {
        if (n == count) {
            break;
        }
        if (from < region.end) {
            size_t present = 0;
            tables_.walk(region.start, region.end, [&](UserAddr, Descriptor&) { ++present; });
            out[n++] = {region.start, region.end, region.protection, region.kind, region.shared, PageCount(present)};
        }
    }
    return n;
}

size_t AddressSpace::page_entries(UserAddr from, PageInfo* out, size_t count) {
    MutexGuard guard(mutex_);
    size_t n = 0;
    for (LeafSpan span = tables_.next_leaf(from.page_down(), user_end); span.entries != nullptr && n < count;
         span = tables_.next_leaf(span.end(), user_end)) {
        for (size_t i = 0; i < span.count && n < count; ++i) {
            if (const Descriptor entry = span.entries[i]; entry.valid()) {
                out[n++] = {span.address + i * page_size, entry, pages::references(entry.address())};
            }
        }
    }
    return n;
}
