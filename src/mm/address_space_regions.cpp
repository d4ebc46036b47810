// Regions of an address space: found, placed, split, merged, given back. See address_space.h.
#include "mm/address_space.h"
#include "mm/shared_memory.h"

namespace {

bool writable_and_executable(Protection protection) { return protection.write && protection.execute; }

// The hardware has no page that can be written or run but not read.
Protection readable(Protection protection) {
    protection.read = protection.read || protection.write || protection.execute;
    return protection;
}

// Each takes memory of the kernel and is passed in searches: a program gets what protecting every other page of 32 MiB takes.
constexpr size_t most_regions = 8192;

template <typename Regions>
bool full(Regions& regions) {
    size_t count = 0;
    for (auto at = regions.begin(); at != regions.end(); ++at) {
        ++count;
    }
    return count >= most_regions;
}

bool good_range(UserAddr start, uint64_t bytes) {
    return start.page_aligned() && bytes != 0 && start >= AddressSpace::lowest && start < user_end &&
           bytes <= user_end - start;
}

uint64_t whole_pages(uint64_t bytes) { return PageCount::covering(bytes).bytes(); }

// May the two, which touch, be one region?
bool alike(const Region& low, const Region& high) {
    return low.end == high.start && low.protection == high.protection && low.kind == high.kind &&
           low.shared == high.shared && low.read_only == high.read_only && low.source == high.source && low.kind != RegionKind::Stack &&
           (low.source == nullptr || low.first_page + (low.bytes() >> page_shift) == high.first_page);
}

}  // namespace

// Regions may hold the last reference to a file, whose end takes locks of a lower rank: declare this before the guard.
struct AddressSpace::RemovedRegions {
    Regions list;
    ~RemovedRegions() {
        while (Region* region = list.pop_front()) {
            ZoneDelete<Region>{}(*region);
        }
    }
};

// --- finding ---

Region* AddressSpace::first_ending_after(UserAddr address) {
    for (Region& region : regions_) {
        if (address < region.end) {
            return &region;
        }
    }
    return nullptr;
}

Region* AddressSpace::search_region(UserAddr address) {
    Region* region = first_ending_after(address);
    if (region == nullptr || !region->contains(address)) {
        return nullptr;
    }
    return last_found_ = region;
}

bool AddressSpace::range_free(UserAddr start, UserAddr end) {
    Region* region = first_ending_after(start);
    return region == nullptr || region->start >= end;
}

// The highest gap of `bytes` in [from, to).
Result<UserAddr> AddressSpace::find_room(UserAddr from, UserAddr to, uint64_t bytes) {
    UserAddr best{};
    auto consider = [&](UserAddr end) {
        if (end > from && end - from >= bytes) {
            best = end - bytes;
        }
    };
    for (Region& region : regions_) {
        if (region.start >= to) {
            break;
        }
        consider(region.start);
        from = region.end > from ? region.end : from;
    }
    consider(to);
    if (best.null()) {
        return Error::NoMemory;
    }
    return best;
}

// Where a mapping without a fixed address goes: at the hint, else below the stack, else high above it.
Result<UserAddr> AddressSpace::place(UserAddr hint, uint64_t bytes) {
    UserAddr wish = hint.page_down();
    if (good_range(wish, bytes) && range_free(wish, wish + bytes)) {
        return wish;
    }
    if (auto found = find_room(lowest, mappings_end, bytes); found.ok()) {
        return found;
    }
    return find_room(stack_top, user_end, bytes);
}

// --- changing the list ---

void AddressSpace::insert_region(Region& region) {
    if (Region* next = first_ending_after(region.start)) {
        regions_.insert_before(*next, region);
    } else {
        regions_.push_back(region);
    }
    mapped_ += region.bytes();
}

Result<> AddressSpace::split_at(UserAddr at) {
    Region* high = find_region(at);
    if (high == nullptr || high->start == at) {
        return {};
    }
    if (full(regions_)) {
        return Error::NoMemory;
    }
    auto low = TRY(zone_new<Region>({}, high->start, at, high->protection, high->kind));
    low->shared = high->shared;
    low->read_only = high->read_only;
    low->first_page = high->first_page;
    if (high->source != nullptr) {
        high->source->ref_source();
        low->source = high->source;
        high->first_page += (at - high->start) >> page_shift;
    }
    if (low->kind == RegionKind::Stack) {
        low->kind = RegionKind::Anonymous;      // only the part at the end of a stack grows, and not into this one
    }
    high->start = at;
    regions_.insert_before(*high, *low.release());
    return {};
}

void AddressSpace::merge_around(UserAddr start, UserAddr end, RemovedRegions& removed) {
    Region* low = first_ending_after(start - 1);
    while (low != nullptr && low->start <= end) {
        Region* high = regions_.after(*low);
        if (high == nullptr) {
            return;
        }
        if (!alike(*low, *high)) {
            low = high;
            continue;
        }
        low->end = high->end;
        regions_.remove(*high);
        removed.list.push_back(*high);
        last_found_ = nullptr;
    }
}

Result<> AddressSpace::unmap_locked(UserAddr start, UserAddr end, RemovedRegions& removed) {
    TRY(split_at(start));
    TRY(split_at(end));
    last_found_ = nullptr;
    tables_.unmap(start, end, &id_);
    for (Region& region : regions_) {
        if (region.start >= end) {
            break;
        }
        if (region.start >= start) {
            regions_.remove(region);
            mapped_ -= region.bytes();
            removed.list.push_back(region);
        }
    }
    return {};
}

// --- map ---

Result<UserAddr> AddressSpace::add_region(UserAddr hint, uint64_t bytes, ZoneOwned<Region> region, MapOptions options) {
    RemovedRegions removed;
    MutexGuard guard(mutex_);
    if (bytes > limits_.total || mapped_ > limits_.total - bytes || full(regions_)) {
        return Error::NoMemory;
    }
    UserAddr start = hint;
    if (options.fixed) {
        TRY(unmap_locked(start, start + bytes, removed));
    } else {
        start = TRY(place(hint, bytes));
    }
    region->start = start;
    region->end = start + bytes;
    insert_region(*region.release());
    merge_around(start, start + bytes, removed);
    last_found_ = search_region(start);     // it will be touched soon
    return start;
}

Result<UserAddr> AddressSpace::map(UserAddr hint, uint64_t bytes, Protection protection, MapOptions options) {
    if (options.shared) {
        if (bytes == 0 || bytes > user_end.value) {
            return Error::Invalid;
        }
        auto memory = TRY(SharedMemory::create(PageCount::covering(bytes)));
        return map_source(hint, bytes, protection, *memory, 0, options);
    }
    if (bytes == 0 || bytes > user_end.value || (options.fixed && !good_range(hint, whole_pages(bytes)))) {
        return Error::Invalid;
    }
    if (writable_and_executable(protection)) {
        return Error::AccessDenied;
    }
    auto region = TRY(zone_new<Region>({}, UserAddr{}, UserAddr{}, readable(protection), RegionKind::Anonymous));
    return add_region(hint, whole_pages(bytes), std::move(region), options);
}

Result<UserAddr> AddressSpace::map_source(UserAddr hint, uint64_t bytes, Protection protection, PageSource& source,
                                          uint64_t first_page, MapOptions options) {
    if (bytes == 0 || bytes > user_end.value || (options.fixed && !good_range(hint, whole_pages(bytes)))) {
        return Error::Invalid;
    }
    if (writable_and_executable(protection)) {
        return Error::AccessDenied;
    }
    auto region = TRY(zone_new<Region>({}, UserAddr{}, UserAddr{}, readable(protection), RegionKind::Source));
    source.ref_source();
    region->source = &source;
    region->first_page = first_page;
    region->shared = options.shared;
    region->read_only = options.read_only;
    return add_region(hint, whole_pages(bytes), std::move(region), options);
}

Result<> AddressSpace::map_stack(UserAddr top) {
    auto region = TRY(zone_new<Region>({}, top - page_size, top, Protection::read_write(), RegionKind::Stack));
    MutexGuard guard(mutex_);
    if (!range_free(region->start - stack_gap, top)) {
        return Error::Exists;
    }
    PageRef page = TRY(PageRef::allocate_zeroed(PageUse::Anonymous));
    TRY(tables_.map(region->start, std::move(page), region->protection, false, false));
    insert_region(*region.release());
    return {};
}

// --- unmap, protect ---

Result<> AddressSpace::unmap(UserAddr start, uint64_t bytes) {
    if (!good_range(start, bytes) || !good_range(start, whole_pages(bytes))) {
        return Error::Invalid;
    }
    RemovedRegions removed;
    MutexGuard guard(mutex_);
    return unmap_locked(start, start + whole_pages(bytes), removed);
}

Result<> AddressSpace::unmap_whole(UserAddr start) {
    RemovedRegions removed;
    MutexGuard guard(mutex_);
    const Region* first = start < user_end ? find_region(start) : nullptr;
    if (first == nullptr || first->start != start || first->source == nullptr || first->first_page != 0) {
        return Error::Invalid;
    }
    const PageSource* source = first->source;
    if (source->unmapped_whole() == 0) {
        return Error::Invalid;
    }
    const UserAddr end = start + whole_pages(source->unmapped_whole());
    for (UserAddr at = start; Region* region = at < end ? first_ending_after(at) : nullptr;) {
        at = region->end;
        if (region->source == source && region->start - start == region->first_page << page_shift) {
            TRY(unmap_locked(region->start, region->end, removed));
        }
    }
    return {};
}

Result<> AddressSpace::protect(UserAddr start, uint64_t bytes, Protection protection) {
    if (!good_range(start, bytes) || !good_range(start, whole_pages(bytes))) {
        return Error::Invalid;
    }
    if (writable_and_executable(protection)) {
        return Error::AccessDenied;
    }
    UserAddr end = start + whole_pages(bytes);
    RemovedRegions removed;
    MutexGuard guard(mutex_);
    for (UserAddr at = start; at < end;) {
        Region* region = find_region(at);
        if (region == nullptr) {
            return Error::NoMemory;
        }
        if (region->read_only && protection.write) {
            return Error::AccessDenied;
        }
        at = region->end;
    }
    TRY(split_at(start));
    TRY(split_at(end));
    for (Region* region = find_region(start); region != nullptr && region->start < end; region = regions_.after(*region)) {
        region->protect(readable(protection));
    }
    tables_.protect(start, end, readable(protection), id_);
    merge_around(start, end, removed);
    return {};
}

// --- the heap ---

void AddressSpace::set_heap(UserAddr start) {
    MutexGuard guard(mutex_);
    heap_start_ = break_ = start.page_up();
}

UserAddr AddressSpace::program_break() {
    MutexGuard guard(mutex_);
    return break_;
}

Result<> AddressSpace::grow_heap(UserAddr from, UserAddr to) {
    uint64_t bytes = to - from;
    if (to - heap_start_ > limits_.data || bytes > limits_.total || mapped_ > limits_.total - bytes ||
        !range_free(from, to)) {
        return Error::NoMemory;
    }
    Region* below = find_region(from - 1);
    if (below != nullptr && below->kind == RegionKind::Heap && below->protection == Protection::read_write()) {
        below->end = to;
        mapped_ += bytes;
        return {};
    }
    insert_region(*TRY(zone_new<Region>({}, from, to, Protection::read_write(), RegionKind::Heap)).release());
    return {};
}

Result<UserAddr> AddressSpace::set_break(UserAddr end) {
    RemovedRegions removed;
    MutexGuard guard(mutex_);
    if (heap_start_.null() || end < heap_start_ || end >= user_end) {
        return Error::NoMemory;
    }
    UserAddr now = break_.page_up();
    UserAddr wanted = end.page_up();
    if (wanted > now) {
        TRY(grow_heap(now, wanted));
    } else if (wanted < now) {
        TRY(unmap_locked(wanted, now, removed));
    }
    return break_ = end;
}
