// Page frames. See page.h for the invariant and the lock.
#include "mm/page.h"

#include "base/failpoint.h"
#include "base/format.h"
#include "machine/spin_lock.h"

namespace pages {
namespace {

constexpr uint32_t no_frame = (1u << 24) - 1;
constexpr size_t uses = static_cast<size_t>(PageUse::Count);

// Frame numbers, last in, first out. Only one core writes it, with interrupts off; stats() reads the count from elsewhere.
template <uint32_t Capacity>
struct FrameStack {
    static constexpr uint32_t capacity = Capacity;

    std::atomic<uint32_t> count{0};
    uint32_t frames[Capacity]{};

    uint32_t size() const { return count.load(std::memory_order_relaxed); }
    bool empty() const { return size() == 0; }
    bool full() const { return size() == Capacity; }
    void push(uint32_t frame) {
        const uint32_t n = size();
        frames[n] = frame;
        count.store(n + 1, std::memory_order_relaxed);
    }
    uint32_t pop() {
        const uint32_t left = size() - 1;
        count.store(left, std::memory_order_relaxed);
        return frames[left];
    }
};

// What one core keeps for itself. Its size is a power of two: a core's is found by a shift.
struct alignas(2048) Cache {
    FrameStack<478> any;
    FrameStack<16> zeroed;      // known to hold nothing but zeros: page tables that were emptied
    std::atomic<int64_t> taken[uses]{};     // pages of each use, taken here less given back here: may be negative

    void add(PageUse use, int64_t n) {
        auto& counter = taken[static_cast<size_t>(use)];
        counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
};
static_assert(sizeof(Cache) == 2048);
constexpr uint32_t batch = 64;      // frames that go to or come from the shared list at once

struct Shared {
    SpinLock lock{LockRank::Pages, "pages"};
    uint32_t free_list GUARDED_BY(lock) = no_frame;
    size_t listed GUARDED_BY(lock) = 0;         // frames on the free list
    size_t untouched GUARDED_BY(lock) = 0;      // free frames behind the watermark
    size_t least_free GUARDED_BY(lock) = 0;
    std::atomic<uint32_t> watermark{0};         // frames from here on were never handed out
    uint32_t frames = 0;                        // in the table
    Range reserved[max_reserved];               // page aligned, sorted
    size_t reserved_count = 0;
};

constinit Shared shared;
constinit Cache caches[max_cores];

PhysAddr address_of(uint32_t frame) { return PhysAddr(table.first + (uint64_t{frame} << page_shift)); }
uint32_t number_of(PhysAddr page) { return static_cast<uint32_t>((page.value - table.first) >> page_shift); }
Cache& this_core() { return of_this_core(caches); }

void set_frame(uint32_t number, PageUse use, uint32_t references) {
    PageFrame& frame = table.frames[number];
    frame.set(use, 0);
    frame.references.store(references, std::memory_order_relaxed);
}

// The end of the reserved range that holds `page`, or `page`.
PhysAddr beyond_reserved(PhysAddr page) {
    for (size_t i = 0; i < shared.reserved_count; ++i) {
        if (shared.reserved[i].start <= page && page < shared.reserved[i].end) {
            page = shared.reserved[i].end;
        }
    }
    return page;
}

uint32_t take_shared_locked() REQUIRES(shared.lock) {
    if (uint32_t frame = shared.free_list; frame != no_frame) {
        shared.free_list = table.frames[frame].link();
        --shared.listed;
        return frame;
    }
    if (shared.untouched == 0) {
        return no_frame;
    }
    uint32_t frame = number_of(beyond_reserved(address_of(shared.watermark.load(std::memory_order_relaxed))));
    ASSERT(frame < shared.frames);
    set_frame(frame, PageUse::Free, 0);
    shared.watermark.store(frame + 1, std::memory_order_relaxed);
    --shared.untouched;
    return frame;
}

void give_shared_locked(uint32_t frame) REQUIRES(shared.lock) {
    table.frames[frame].set(PageUse::Free, shared.free_list);
    shared.free_list = frame;
    ++shared.listed;
}

void refill(Cache& cache) {
    SpinGuard guard(shared.lock);
    for (uint32_t n = 0; n < batch; ++n) {
        uint32_t frame = take_shared_locked();
        if (frame == no_frame) {
            break;
        }
        cache.any.push(frame);
    }
    if (size_t left = shared.listed + shared.untouched; left < shared.least_free) {
        shared.least_free = left;
    }
}

template <uint32_t Capacity>
[[gnu::noinline]] void drain(FrameStack<Capacity>& frames, uint32_t keep) {
    SpinGuard guard(shared.lock);
    while (frames.size() > keep) {
        give_shared_locked(frames.pop());
    }
}

// A frame from this core's cache goes to the caller; interrupts are off.
[[gnu::always_inline]] inline PhysAddr hand_out(Cache& cache, uint32_t frame, PageUse use) {
    set_frame(frame, use, 1);
    cache.add(use, 1);
    const PhysAddr page = address_of(frame);
    ram::unpoison(ram::at<void>(page), page_size);
    return page;
}

// The other way: the caller had the last reference.
[[gnu::always_inline]] inline Cache& take_back(PhysAddr page) {
    Cache& cache = this_core();
    PageFrame& frame = frame_of(page);
    const PageUse use = frame.use();
    if (use == PageUse::Free) {
        report_misuse("free page released", page, __builtin_return_address(0));
    }
    cache.add(use, -1);
    frame.set(PageUse::Free, 0);
    return cache;
}

// What is reclaimed may want locks of a low rank: with a lock held there is no reclaiming.
bool try_reclaim() {
    {
        InterruptGuard off;
        if (!cpu::current().held.none()) {
            return false;
        }
    }
    return reclaim != nullptr && reclaim();
}

// --- init ---

void sort_and_clip(ram::Extent extent) {
    size_t kept = 0;
    for (size_t i = 0; i < shared.reserved_count; ++i) {
        Range range{shared.reserved[i].start.page_down(), shared.reserved[i].end.page_up()};
        range.start = range.start < extent.start ? extent.start : range.start;
        range.end = range.end > extent.end ? extent.end : range.end;
        if (range.start >= range.end) {
            continue;
        }
        size_t at = kept++;
        for (; at > 0 && shared.reserved[at - 1].start > range.start; --at) {
            shared.reserved[at] = shared.reserved[at - 1];
        }
        shared.reserved[at] = range;
    }
    shared.reserved_count = kept;
}

// The first place for `bytes` between the reserved ranges.
Result<PhysAddr> find_gap(ram::Extent extent, uint64_t bytes) {
    PhysAddr at = extent.start;
    for (size_t i = 0; i < shared.reserved_count; ++i) {
        const Range& range = shared.reserved[i];
        if (range.start > at && range.start - at >= bytes) {
            return at;
        }
        at = range.end > at ? range.end : at;
    }
    if (extent.end > at && extent.end - at >= bytes) {
        return at;
    }
    return Error::NoMemory;
}

// Ranges may overlap: each page is counted when it is first seen.
size_t mark_reserved() {
    size_t count = 0;
    PhysAddr seen{0};
    for (size_t i = 0; i < shared.reserved_count; ++i) {
        PhysAddr at = shared.reserved[i].start > seen ? shared.reserved[i].start : seen;
        for (; at < shared.reserved[i].end; at = at + page_size) {
            set_frame(number_of(at), PageUse::Reserved, 0);
            ++count;
        }
        seen = at;
    }
    return count;
}

}  // namespace

Result<> init(ram::Extent extent, const Range* reserved, size_t count) {
    uint64_t frames = (extent.end - extent.start) >> page_shift;
    if (count >= max_reserved || extent.start >= extent.end || frames >= no_frame) {
        return Error::Invalid;
    }
    for (size_t i = 0; i < count; ++i) {
        shared.reserved[i] = reserved[i];
    }
    shared.reserved_count = count;
    sort_and_clip(extent);

    uint64_t bytes = PageCount::covering(frames * sizeof(PageFrame)).bytes();
    PhysAddr place = TRY(find_gap(extent, bytes));
    shared.reserved[shared.reserved_count++] = {place, place + bytes};
    sort_and_clip(extent);

    table.frames = ram::at<PageFrame>(place);
    table.first = extent.start.value;
    shared.frames = static_cast<uint32_t>(frames);
    size_t unavailable = mark_reserved();
    InterruptGuard off;
    this_core().add(PageUse::Reserved, static_cast<int64_t>(unavailable));
    SpinGuard guard(shared.lock);
    shared.untouched = shared.least_free = frames - unavailable;
    return {};
}

namespace {

constexpr PhysAddr no_page{~0ull};

// The core's cache is empty. Not inline: the usual way stays short.
[[gnu::noinline]] PhysAddr allocate_from_shared(PageUse use) {
    do {
        InterruptGuard off;
        Cache& cache = this_core();
        if (cache.any.empty()) {
            refill(cache);
        }
        if (!cache.any.empty()) {
            return hand_out(cache, cache.any.pop(), use);
        }
        if (!cache.zeroed.empty()) {
            return hand_out(cache, cache.zeroed.pop(), use);
        }
    } while (try_reclaim());
    return no_page;
}

[[gnu::always_inline]] inline PhysAddr allocate_any(PageUse use) {
    {
        InterruptGuard off;
        if (Cache& cache = this_core(); !cache.any.empty()) [[likely]] {
            return hand_out(cache, cache.any.pop(), use);
        }
    }
    return allocate_from_shared(use);
}

PhysAddr take_zeroed(PageUse use) {
    InterruptGuard off;
    Cache& cache = this_core();
    return cache.zeroed.empty() ? no_page : hand_out(cache, cache.zeroed.pop(), use);
}

}  // namespace

Result<PhysAddr> allocate(PageUse use) {
    if (failpoint::should_fail()) [[unlikely]] {
        return Error::NoMemory;
    }
    const PhysAddr page = allocate_any(use);
    return page != no_page ? Result<PhysAddr>(page) : Error::NoMemory;
}

// Page tables need less clearing than others: take_zeroed.
Result<PhysAddr> allocate_zeroed(PageUse use) {
    if (failpoint::should_fail()) [[unlikely]] {
        return Error::NoMemory;
    }
    if (use == PageUse::PageTable) {
        if (const PhysAddr page = take_zeroed(use); page != no_page) {
            return page;
        }
    }
    const PhysAddr page = allocate_any(use);
    if (page == no_page) [[unlikely]] {
        return Error::NoMemory;
    }
    ram::clear_page(ram::at<void>(page));
    return page;
}

void free_frame(PhysAddr page) {
    InterruptGuard off;
    Cache& cache = take_back(page);
    ram::poison(ram::at<void>(page), page_size);
    if (cache.any.full()) [[unlikely]] {
        drain(cache.any, cache.any.capacity - batch);
    }
    cache.any.push(number_of(page));
}

void release_zeroed(PhysAddr page) {
    const uint32_t before = frame_of(page).references.fetch_sub(1, std::memory_order_acq_rel);
    ASSERT(before == 1);
    InterruptGuard off;
    Cache& cache = take_back(page);
    if (cache.zeroed.full()) {
        drain(cache.zeroed, 0);
    }
    cache.zeroed.push(number_of(page));
}

void adopt_reserved(PhysAddr page, PageUse use) {
    PageFrame& frame = frame_of(page);
    if (use_of(page) != PageUse::Reserved || frame.references.load(std::memory_order_relaxed) != 0) {
        report_misuse("page adopted that is not reserved", page, __builtin_return_address(0));
    }
    set_frame(number_of(page), use, 1);
    InterruptGuard off;
    this_core().add(PageUse::Reserved, -1);
    this_core().add(use, 1);
}

PageUse use_of(PhysAddr page) {
    if (page.value - table.first >= uint64_t{shared.frames} << page_shift) {     // what lies below wraps round
        return PageUse::Reserved;
    }
    bool untouched = number_of(page) >= shared.watermark.load(std::memory_order_relaxed);
    if (untouched && beyond_reserved(page.page_down()) == page.page_down()) {
        return PageUse::Free;
    }
    return frame_of(page).use();
}

uint32_t references(PhysAddr page) {
    return use_of(page) == PageUse::Free ? 0 : frame_of(page).references.load(std::memory_order_relaxed);
}

Stats stats() {
    Stats result;
    int64_t by_use[uses]{};
    size_t cached = 0;
    for (const Cache& cache : caches) {
        cached += cache.any.size() + cache.zeroed.size();
        for (size_t use = 0; use < uses; ++use) {
            by_use[use] += cache.taken[use].load(std::memory_order_relaxed);
        }
    }
    SpinGuard guard(shared.lock);
    result.total = PageCount(shared.frames);
    result.free = PageCount(shared.listed + shared.untouched + cached);
    result.peak = PageCount(shared.frames - shared.least_free);
    for (size_t use = 0; use < uses; ++use) {
        result.by_use[use] = PageCount(by_use[use] > 0 ? static_cast<size_t>(by_use[use]) : 0);
    }
    result.by_use[static_cast<size_t>(PageUse::Free)] = result.free;
    return result;
}

void flush_cache() {
    InterruptGuard off;
    drain(this_core().any, 0);
    drain(this_core().zeroed, 0);
}

void report_misuse(const char* what, PhysAddr page, const void* caller) {
    TextBuffer<160> text;
    text.add("pages: {}: {}, use {}, caller {}", what, page, name_of(use_of(page)), caller);
    panic(text.c_str(), page.value, reinterpret_cast<uint64_t>(caller));
}

}  // namespace pages

const char* name_of(PageUse use) {
    switch (use) {
    case PageUse::Free: return "free";
    case PageUse::Reserved: return "reserved";
    case PageUse::Kernel: return "kernel";
    case PageUse::PageTable: return "page table";
    case PageUse::Zone: return "zone";
    case PageUse::Anonymous: return "anonymous";
    case PageUse::File: return "file";
    case PageUse::Count: break;
    }
    return "unknown";
}
