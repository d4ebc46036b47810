// An address space: the regions that a program has asked for, and the page tables that hold what it has touched.
//
// Invariant: regions are sorted, page aligned, do not overlap, are never writable and executable at once; every
// mapped page lies in a region and allows no more than it. A page appears when it is touched (handle_fault).
// Lock: the space's own mutex (LockRank::AddressSpace), taken by the public functions.
#pragma once

#include "base/list.h"
#include "base/ref.h"
#include "machine/mutex.h"
#include "mm/address_space_id.h"
#include "mm/page_table_copy.h"
#include "mm/zone.h"

// Where the pages of a mapped file (or of shared anonymous memory) come from. Implemented above: a vnode's contents.
class PageSource {
public:
    // A reference to the page of index `index` (contents at index * page_size), which the caller owns. A private
    // mapping maps that page read-only and copies it before a write; a shared one writes to it. Bytes beyond the end
    // of the contents are zero. Called with the space's mutex held: takes spin locks only, no mutex, no user memory.
    // Range: beyond the end; NoMemory.
    virtual Result<PhysAddr> page(uint64_t index) = 0;
    virtual void ref_source() = 0;
    virtual void unref_source() = 0;    // called with no lock of a space held
    // Bytes that unmap_whole() takes for one mapping; 0: it takes none of this source's.
    virtual uint64_t unmapped_whole() const { return 0; }

protected:
    ~PageSource() = default;
};

enum class RegionKind : uint8_t {
    Anonymous,      // zero pages on demand
    Source,         // pages of a PageSource; Region::shared says whether writes reach it
    Heap,           // anonymous, its end is the break
    Stack,          // anonymous, grows downwards on faults
};

// One range of an address space. Belongs to its space's list.
struct Region {
    UserAddr start, end;
    Protection protection;          // changed by protect()
    RegionKind kind = RegionKind::Anonymous;
    // What a first touch maps, less the frame; invalid where that takes more than a page of zeros.
    Descriptor fresh;
    bool shared = false;            // fork shares it; else fork copies it
    bool read_only = false;         // for ever: protect() does not make it writable
    PageSource* source = nullptr;   // holds a reference
    uint64_t first_page = 0;        // the source's page at `start`
    ListNode link;

    Region(UserAddr s, UserAddr e, Protection p, RegionKind k) : start(s), end(e), kind(k) { protect(p); }
    void protect(Protection p) {
        protection = p;
        const bool zeros_will_do = kind != RegionKind::Source && !p.execute;
        fresh = zeros_will_do ? Descriptor::user_page(PhysAddr(0), p, false, false) : Descriptor{};
    }
    ~Region();
    bool contains(UserAddr address) const { return start <= address && address < end; }
    uint64_t bytes() const { return end - start; }
    static Zone& zone();
};

struct MapOptions {
    bool fixed = false;     // exactly at the hint, in place of what is there; else the hint is a wish
    bool shared = false;
    bool read_only = false; // and stays so
};

// What the owner allows, from its resource limits; in bytes.
struct SpaceLimits {
    static constexpr uint64_t unlimited = ~0ull;
    uint64_t total = unlimited;         // RLIMIT_AS
    uint64_t data = unlimited;          // RLIMIT_DATA: the heap
    uint64_t stack = 8ull << 20;        // RLIMIT_STACK
};

// A region, and a page that is there, as pmap shows them.
struct RegionInfo {
    UserAddr start, end;
    Protection protection;
    RegionKind kind;
    bool shared;
    PageCount resident;
};
struct PageInfo {
    UserAddr address;
    Descriptor entry;
    uint32_t references;    // to its frame
};

class AddressSpace : public RefCounted {
public:
    // Where programs live: mappings are placed downwards from mappings_end, stacks end at stack_top.
    static constexpr UserAddr lowest{0x1'0000};         // below: never mapped, so that null pointers fault
    static constexpr UserAddr mappings_end{0x3f00'0000};
    static constexpr UserAddr stack_top{0x4000'0000};
    static constexpr uint64_t stack_gap = 64 * 1024;    // that a growing stack keeps from what lies below it

    // Once at boot, before the first space: makes the zones "address_space", "region" and "shared_memory".
    static Result<> init();
    // An empty space. NoMemory.
    static Result<Ref<AddressSpace>> create();
    // A copy for fork: the same regions, private pages copied or shared until written, shared ones shared. NoMemory,
    // with nothing left behind and this space as it was (but for pages now marked copy-on-write).
    Result<Ref<AddressSpace>> clone(CopyMode mode);
    void last_reference_gone();     // Ref's business. No core but this one may have it active

    // A new region of zero pages (`shared`: that fork shares), or of the pages of `source` from `first_page` on.
    // Lengths are rounded up to pages. Invalid: no length, unaligned fixed hint, outside the user half; NoMemory: no room,
    // over the limit, as many regions as may be; AccessDenied: writable and executable. The source is referenced by the region.
    Result<UserAddr> map(UserAddr hint, uint64_t bytes, Protection protection, MapOptions options = {});
    Result<UserAddr> map_source(UserAddr hint, uint64_t bytes, Protection protection, PageSource& source,
                                uint64_t first_page, MapOptions options = {});
    // A stack that ends at `top` and grows down to the limit. Its first page exists at once. Exists: no room.
    Result<> map_stack(UserAddr top);
    // Whatever lies in the range goes. Invalid: unaligned, no length, outside; NoMemory: too many regions.
    Result<> unmap(UserAddr start, uint64_t bytes);
    // What is left of the mapping of a source that begins at `start` and goes as a whole (PageSource::unmapped_whole); its
    // source may end by that. Invalid: none begins there.
    Result<> unmap_whole(UserAddr start);
    // NoMemory: part of the range is not mapped, or too many regions (nothing is changed); AccessDenied: writable and executable, or read-only for ever.
    Result<> protect(UserAddr start, uint64_t bytes, Protection protection);

    // exec: the heap begins here, empty.
    void set_heap(UserAddr start);
    // Moves the end of the heap; the end after the call. NoMemory: over the limit, or something is in the way.
    Result<UserAddr> set_break(UserAddr end);
    UserAddr program_break();

    // A page is missing or does not allow `access`: makes it so. BadAddress: the program may not do that (SIGSEGV);
    // AccessDenied: the page is there but forbids it (SIGSEGV); Range: beyond the end of the file (SIGBUS); NoMemory.
    Result<> handle_fault(UserAddr address, Access access);

    // Bytes to and from this space without it being active: exec's arguments, a debugger's look. store() ignores the
    // region's write protection if `force` (the loader). BadAddress, NoMemory as for handle_fault.
    Result<> store(UserAddr to, const void* from, size_t bytes, bool force = false);
    Result<> load(void* to, UserAddr from, size_t bytes);
    Result<> clear(UserAddr to, size_t bytes, bool force = false);

    // Makes it the user half of this core, or leaves this core without one. Interrupts off.
    void activate() { id_.activate(tables_.root()); }
    static void activate_none() { AddressSpaceId::activate_none(); }

    void set_limits(const SpaceLimits& limits);
    PageCount resident();           // pages that are mapped now, shared ones too
    PageCount resident_estimate() const { return tables_.resident(); }      // without the lock: for lists of processes
    PageCount peak_estimate() const { return tables_.peak(); }              // the most there ever were; likewise
    uint64_t mapped_bytes();        // of all regions
    // Fills `out` with up to `count` regions that end behind `from`, or pages from `from` on, in order of address; how many.
    size_t regions(UserAddr from, RegionInfo* out, size_t count);
    size_t page_entries(UserAddr from, PageInfo* out, size_t count);

    static Zone& zone();
    AddressSpace() = default;       // for create() and its zone
    ~AddressSpace();

private:
    using Regions = List<Region, &Region::link>;
    struct RemovedRegions;      // regions that go when the mutex is free again

    // Regions (address_space_regions.cpp).
    Region* find_region(UserAddr address) REQUIRES(mutex_) {        // the one that contains it
        const bool again = last_found_ != nullptr && last_found_->contains(address);
        return again ? last_found_ : search_region(address);
    }
    Region* search_region(UserAddr address) REQUIRES(mutex_);
    Region* first_ending_after(UserAddr address) REQUIRES(mutex_);
    bool range_free(UserAddr start, UserAddr end) REQUIRES(mutex_);
    Result<UserAddr> find_room(UserAddr from, UserAddr to, uint64_t bytes) REQUIRES(mutex_);
    Result<UserAddr> place(UserAddr hint, uint64_t bytes) REQUIRES(mutex_);
    Result<UserAddr> add_region(UserAddr hint, uint64_t bytes, ZoneOwned<Region> region, MapOptions options);
    void insert_region(Region& region) REQUIRES(mutex_);
    Result<> split_at(UserAddr at) REQUIRES(mutex_);                // no region reaches across `at` any more
    void merge_around(UserAddr start, UserAddr end, RemovedRegions& removed) REQUIRES(mutex_);
    Result<> unmap_locked(UserAddr start, UserAddr end, RemovedRegions& removed) REQUIRES(mutex_);
    Result<> grow_heap(UserAddr from, UserAddr to) REQUIRES(mutex_);
    Result<> copy_regions_to(AddressSpace& child, CopyMode mode) REQUIRES(mutex_);

    // Pages (address_space_fault.cpp).
    Result<Region*> region_for(UserAddr address, Access access, bool force) REQUIRES(mutex_);
    Result<Region*> grow_stack(UserAddr address) REQUIRES(mutex_);
    Result<> map_fresh(UserAddr page, Descriptor* entry, Descriptor fresh) REQUIRES(mutex_);
    Result<> fault_locked(UserAddr address, Access access, bool force) REQUIRES(mutex_);
    Result<> page_in(Region& region, UserAddr page, Descriptor* entry, Access access) REQUIRES(mutex_);
    Result<> source_page_in(Region& region, UserAddr page, Access access) REQUIRES(mutex_);
    Result<> make_private(Region& region, UserAddr page, Descriptor& entry) REQUIRES(mutex_);
    template <typename Use>
    Result<> for_each_piece(UserAddr start, size_t bytes, Access access, bool force, Use use);

    Mutex mutex_{LockRank::AddressSpace, "address space"};
    Regions regions_ GUARDED_BY(mutex_);
    Region* last_found_ GUARDED_BY(mutex_) = nullptr;
    PageTable tables_;      // changed with mutex_ held; its root is set before the space is shared
    AddressSpaceId id_;
    uint64_t mapped_ GUARDED_BY(mutex_) = 0;
    UserAddr heap_start_ GUARDED_BY(mutex_);
    UserAddr break_ GUARDED_BY(mutex_);
    SpaceLimits limits_ GUARDED_BY(mutex_);
};
