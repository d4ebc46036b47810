// Zones: pages cut into elements of one size, a cache of free ones for each core.
//
// A page of elements is a Slab. An element is in one of four places: with a caller (its bit in Slab::live_ is set), in the cache
// of a core, in its slab (its bit in Slab::away_ is clear), or on its way from who freed it to a thread that waits at the limit.
// Nothing is noted inside of a free element: it stays wiped or poisoned.
//
//     caller  <-- one at a time, interrupts off -->  cache of the core  <-- a batch, under the zone's lock -->  slabs
//
// Lock: one a zone (LockRank::Zone) for slabs and waiters; none is held while a page is asked for, for pages::allocate may come
// back by zone_reclaim. A core's cache is touched with interrupts off. The number of live elements is one atomic word (Places).
// Counterpart in the original: osfmk/kern/zalloc.c.
#include "mm/zone.h"

#include <algorithm>
#include <atomic>

#include "base/bitmap.h"
#include "base/failpoint.h"
#include "base/format.h"
#include "base/list.h"
#include "machine/park.h"
#include "machine/spin_lock.h"
#include "machine/trace.h"
#include "mm/page.h"

namespace {

constexpr size_t alignment = 16;
constexpr size_t largest_element = 2048;

constinit SpinLock list_lock(LockRank::ZoneList, "zones");
constinit Zone* oldest GUARDED_BY(list_lock) = nullptr;

// How many elements are live and how many threads wait for one, in one word: each step is one step for all cores.
//
// Somebody waits only while all places are taken, because a place that becomes free is then passed on and not given back.
// So a newcomer never sees a place that somebody waits for. The number of those who wait changes under the zone's lock.
class Places {
public:
    explicit Places(size_t limit) : limit_(limit != 0 ? std::min(limit, most) : most) {}

    // The number of places taken from now on, or 0 if there was none left.
    size_t take() {
        uint64_t now = word_.load(std::memory_order_relaxed);
        do {
            if (live(now) == limit_) {
                return 0;
            }
        } while (!word_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
        return live(now) + 1;
    }
    // The same; if there was none, the caller counts among those who wait. The zone's lock is held.
    size_t take_or_wait() {
        uint64_t now = word_.load(std::memory_order_relaxed);
        bool none_left;
        do {
            none_left = live(now) == limit_;
        } while (!word_.compare_exchange_weak(now, now + (none_left ? one_waiter : 1), std::memory_order_relaxed));
        return none_left ? 0 : live(now) + 1;
    }
    // False, and nothing has changed, if somebody waits for the place.
    bool give_back() {
        uint64_t now = word_.load(std::memory_order_relaxed);
        do {
            if (waiters(now) != 0) {
                return false;
            }
        } while (!word_.compare_exchange_weak(now, now - 1, std::memory_order_relaxed));
        return true;
    }
    // The caller's place belongs to one of those who wait. The zone's lock is held, and give_back said no under it.
    void pass_on() { word_.fetch_sub(one_waiter, std::memory_order_relaxed); }

    size_t taken() const { return live(word_.load(std::memory_order_relaxed)); }
    size_t limit() const { return limit_; }

private:
    static constexpr size_t most = 0xffff'ffff;
    static constexpr uint64_t one_waiter = uint64_t{1} << 32;
    static size_t live(uint64_t word) { return word & most; }
    static size_t waiters(uint64_t word) { return word >> 32; }

    const size_t limit_;
    std::atomic<uint64_t> word_{0};
};

// The beginning of a page of elements. The zone's lock guards what is not atomic.
class Slab {
public:
    static constexpr size_t most_elements = 256;

    explicit Slab(Zone& owner) : zone(&owner) {}

    Zone* const zone;       // first in the page: see ZonePage
    ListNode link;          // Zone::usable_, while elements lie here

    size_t away() const { return away_count_; }
    // An element that lies here leaves; there is one among the first `count`.
    size_t take(size_t count) {
        Bitmap away(away_, most_elements);
        const size_t index = away.first_clear(0, count);
        ASSERT(index != Bitmap::none);
        away.set(index);
        ++away_count_;
        return index;
    }
    void put(size_t index) {
        Bitmap(away_, most_elements).clear(index);
        --away_count_;
    }

    // A caller has the element from now on, or no longer. True if that is news.
    bool begin_life(size_t index) { return (word_of(index).fetch_or(bit(index), std::memory_order_relaxed) & bit(index)) == 0; }
    bool end_life(size_t index) { return (word_of(index).fetch_and(~bit(index), std::memory_order_relaxed) & bit(index)) != 0; }

private:
    static uint64_t bit(size_t index) { return uint64_t{1} << (index % 64); }
    std::atomic<uint64_t>& word_of(size_t index) { return live_[index / 64]; }

    size_t away_count_ = 0;
    uint64_t away_[Bitmap::words_for(most_elements)] = {};
    std::atomic<uint64_t> live_[Bitmap::words_for(most_elements)] = {};
};
static_assert(sizeof(Slab) % alignment == 0);
static_assert((page_size - sizeof(Slab)) / alignment <= Slab::most_elements);

using Slabs = List<Slab, &Slab::link>;

// To the page allocator. No zone knows them any more.
void release_pages(Slabs& slabs) {
    while (Slab* slab = slabs.pop_front()) {
        slab->~Slab();
        ram::unpoison(slab, page_size);
        pages::release(ram::phys_of(slab));
    }
}

// Free elements that only one core takes and gives back, with interrupts off. A cache line is never two cores'.
struct alignas(64) Cache {
    static constexpr size_t capacity = 32;

    size_t count = 0;
    std::atomic<uint64_t> hits{0};      // written by its own core, read by all
    void* elements[capacity];

    void count_hit() { hits.store(hits.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
};

// A thread at the limit, on its own stack. What becomes free is passed to the one that has waited longest.
struct Waiting {
    ListNode link;
    Channel channel;            // its own: nobody else is woken by it
    bool served = false;        // it has a place
    void* element = nullptr;    // and this element, unless the place came from an allocation that failed
};

}  // namespace

class Zone {
public:
    explicit Zone(const ZoneOptions& options)
        : options_(options),
          element_size_((options.element_size + alignment - 1) / alignment * alignment),
          in_slab_((page_size - sizeof(Slab)) / element_size_),
          first_offset_(page_size - in_slab_ * element_size_),
          cache_capacity_(std::clamp<size_t>(2 * page_size / element_size_, 4, Cache::capacity)),
          places_(options.limit) {}

    Result<void*> allocate(ZallocOptions options);
    void free(void* element);
    ZoneStats stats();
    // Moves the wholly free slabs to `out`.
    PageCount reclaim(Slabs& out);
    void give_up_all_pages();       // nobody uses the zone any more

    // The list of all zones, oldest first.
    Zone* next GUARDED_BY(list_lock) = nullptr;
    unsigned visitors GUARDED_BY(list_lock) = 0;    // while there are any it stays on the list

private:
    struct Spot {
        Slab& slab;
        size_t index;
    };

    void* wait_for_place(size_t& live);
    Result<void*> element_for_place();
    void* take_from_cache();
    void* take_from_slabs(Slab* new_slab);
    Result<Slab*> make_slab();
    void put_into_cache(void* element);
    void return_place(void* element);

    void lock_was_taken() REQUIRES(lock_) { ++lock_acquisitions_; }
    void* refill_locked() REQUIRES(lock_);
    void flush_locked(Cache& cache, size_t keep) REQUIRES(lock_);
    void* take_locked() REQUIRES(lock_);
    void put_locked(void* element) REQUIRES(lock_);
    PageCount unlink_free_slabs_locked(Slabs& out) REQUIRES(lock_);

    void* element_at(Slab& slab, size_t index) const {
        return reinterpret_cast<char*>(&slab) + first_offset_ + index * element_size_;
    }
    Spot spot_of(void* element) const;
    Spot spot_of_callers(void* element) const;      // panics unless it is an element of this zone
    void hand_out(void* element, bool zero);
    void wipe(void* element) const;
    void check_untouched(void* element) const;
    void note_peak(size_t live);
    [[noreturn]] void misuse(const char* what, const void* element, const char* more = "") const;

    // Interrupts off.
    Cache& cache_of_this_core() { return caches_[cpu::current().id]; }

    const ZoneOptions options_;
    const size_t element_size_, in_slab_, first_offset_, cache_capacity_;
    Places places_;
    std::atomic<size_t> peak_{0};

    SpinLock lock_{LockRank::Zone, "zone"};
    Slabs usable_ GUARDED_BY(lock_);        // slabs in which elements lie; wholly free ones at the end
    List<Waiting, &Waiting::link> waiting_ GUARDED_BY(lock_);
    size_t pages_ GUARDED_BY(lock_) = 0;
    uint64_t misses_ GUARDED_BY(lock_) = 0;     // allocations that no cache served
    uint64_t lock_acquisitions_ GUARDED_BY(lock_) = 0;

    Cache caches_[max_cores];
};

namespace {

// The page in which a zone itself lies. A slab begins with the zone of its elements; here there are none.
struct ZonePage {
    explicit ZonePage(const ZoneOptions& options) : zone(options) {}

    Zone* const zone_of_elements = nullptr;
    Zone zone;
};
static_assert(sizeof(ZonePage) <= page_size);

Zone* zone_of_elements(const void* page) { return *static_cast<Zone* const*>(page); }

}  // namespace

// --- an element is taken ---

Result<void*> Zone::allocate(ZallocOptions options) {
    if (failpoint::should_fail()) [[unlikely]] {
        return Error::NoMemory;
    }
    void* element = nullptr;
    size_t live = places_.take();
    if (live == 0) [[unlikely]] {
        if (!options.wait) {
            return Error::TryAgain;
        }
        element = wait_for_place(live);
    }
    if (element == nullptr) {
        Result<void*> found = element_for_place();
        if (!found.ok()) [[unlikely]] {
            return_place(nullptr);
            return found.error();
        }
        element = found.value();
    }
    note_peak(live);
    hand_out(element, options.zero);
    return element;
}

// The caller has a place then, and `live` is set. Null if there is a place but no element.
void* Zone::wait_for_place(size_t& live) {
    SpinGuard guard(lock_);
    lock_was_taken();
    live = places_.take_or_wait();
    if (live != 0) {
        return refill_locked();
    }
    Waiting self;
    waiting_.push_back(self);
    while (!self.served) {
        park(self.channel, lock_);
    }
    live = places_.limit();
    if (self.element == nullptr) {
        return refill_locked();
    }
    ++misses_;
    return self.element;
}

Result<void*> Zone::element_for_place() {
    if (void* element = take_from_cache()) {
        return element;
    }
    if (void* element = take_from_slabs(nullptr)) {
        return element;
    }
    return take_from_slabs(TRY(make_slab()));
}

void* Zone::take_from_cache() {
    InterruptGuard off;
    Cache& cache = cache_of_this_core();
    if (cache.count == 0) [[unlikely]] {
        return nullptr;
    }
    cache.count_hit();
    return cache.elements[--cache.count];
}

// `new_slab` belongs to the zone from now on; without one the result is null if no element lies in a slab.
void* Zone::take_from_slabs(Slab* new_slab) {
    SpinGuard guard(lock_);
    lock_was_taken();
    if (new_slab != nullptr) {
        usable_.push_back(*new_slab);
        ++pages_;
        trace::event(TraceKind::ZoneGrow, options_.name, pages_);
    }
    return refill_locked();
}

// A new page of free elements, on no list yet. No lock is held.
Result<Slab*> Zone::make_slab() {
    const PhysAddr page = TRY(pages::allocate(PageUse::Zone));
    Slab& slab = *new (ram::at<void>(page)) Slab(*this);
    if (!options_.clear_on_free) {
        ram::poison(element_at(slab, 0), in_slab_ * element_size_);
    } else if (ram::junk_everywhere) {
        __builtin_memset(element_at(slab, 0), 0, in_slab_ * element_size_);
    }
    return &slab;
}

// One element for the caller, and half a cache full for this core. Null if there is none.
void* Zone::refill_locked() {
    Cache& cache = cache_of_this_core();
    while (cache.count <= cache_capacity_ / 2 && !usable_.empty()) {
        cache.elements[cache.count++] = take_locked();
    }
    if (cache.count == 0) {
        return nullptr;
    }
    ++misses_;
    return cache.elements[--cache.count];
}

void* Zone::take_locked() {
    Slab& slab = *usable_.first();
    const size_t index = slab.take(in_slab_);
    if (slab.away() == in_slab_) {
        usable_.remove(slab);
    }
    return element_at(slab, index);
}

// --- an element is given back ---

void Zone::free(void* element) {
    auto [slab, index] = spot_of_callers(element);
    if (!slab.end_life(index)) [[unlikely]] {
        misuse("double free", element);
    }
    wipe(element);
    if (places_.give_back()) [[likely]] {
        put_into_cache(element);
    } else {
        return_place(element);
    }
}

void Zone::put_into_cache(void* element) {
    InterruptGuard off;
    Cache& cache = cache_of_this_core();
    if (cache.count == cache_capacity_) [[unlikely]] {
        SpinGuard guard(lock_);
        lock_was_taken();
        flush_locked(cache, cache_capacity_ / 2);
    }
    cache.elements[cache.count++] = element;
}

// A place that somebody may wait for, with the element that was in it; null if none ever was.
void Zone::return_place(void* element) {
    SpinGuard guard(lock_);
    lock_was_taken();
    if (places_.give_back()) {
        if (element != nullptr) {
            put_locked(element);
        }
        return;
    }
    places_.pass_on();
    Waiting& first = *waiting_.pop_front();
    first.element = element;
    first.served = true;
    wake_one(first.channel);
}

void Zone::flush_locked(Cache& cache, size_t keep) {
    while (cache.count > keep) {
        put_locked(cache.elements[--cache.count]);
    }
}

// Keeps the wholly free slabs at the end of the list.
void Zone::put_locked(void* element) {
    auto [slab, index] = spot_of(element);
    slab.put(index);
    if (slab.away() == 0) {
        if (Slabs::linked(slab)) {
            usable_.remove(slab);
        }
        usable_.push_back(slab);
    } else if (!Slabs::linked(slab)) {
        usable_.push_front(slab);
    }
}

// --- the element itself ---

void Zone::hand_out(void* element, bool zero) {
    ram::unpoison(element, element_size_);
    if (ram::junk_everywhere) [[unlikely]] {
        check_untouched(element);
    }
    auto [slab, index] = spot_of(element);
    const bool was_free = slab.begin_life(index);
    ASSERT(was_free);
    if (zero) {
        __builtin_memset(element, 0, element_size_);
    }
}

void Zone::wipe(void* element) const {
    if (options_.clear_on_free) {
        __builtin_memset(element, 0, element_size_);
    } else {
        ram::poison(element, element_size_);
    }
}

// Whoever had the element last may have written to it after giving it back.
void Zone::check_untouched(void* element) const {
    const uint64_t expected = options_.clear_on_free ? 0 : ram::junk;
    auto* words = static_cast<const uint64_t*>(element);
    if (!std::all_of(words, words + element_size_ / sizeof *words, [&](uint64_t word) { return word == expected; })) {
        misuse("it was written to while it was free", element);
    }
}

Zone::Spot Zone::spot_of(void* element) const {
    Slab& slab = *ram::at<Slab>(ram::phys_of(element).page_down());
    const auto offset = static_cast<size_t>(static_cast<char*>(element) - reinterpret_cast<char*>(&slab));
    return {slab, (offset - first_offset_) / element_size_};
}

Zone::Spot Zone::spot_of_callers(void* element) const {
    const PhysAddr address = ram::phys_of(element), page = address.page_down();
    if (pages::use_of(page) != PageUse::Zone) [[unlikely]] {
        misuse("no element of any zone", element);
    }
    Zone* const owner = zone_of_elements(ram::at<void>(page));
    if (owner != this) [[unlikely]] {
        misuse("free into the wrong zone", element, owner != nullptr ? owner->options_.name : "no zone: its page holds a zone itself");
    }
    const size_t offset = address.page_offset();
    if (offset < first_offset_ || (offset - first_offset_) % element_size_ != 0) [[unlikely]] {
        misuse("not the beginning of an element", element);
    }
    return spot_of(element);
}

void Zone::misuse(const char* what, const void* element, const char* more) const {
    TextBuffer<192> message;
    message.add("zone \"{}\", element {}: {}", options_.name, element, what);
    if (*more != '\0') {
        message.add(", it belongs to {}", more);
    }
    panic(message.c_str(), reinterpret_cast<uint64_t>(element));
}

// --- counts ---

void Zone::note_peak(size_t live) {
    size_t peak = peak_.load(std::memory_order_relaxed);
    while (live > peak && !peak_.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {
    }
}

ZoneStats Zone::stats() {
    SpinGuard guard(lock_);
    const size_t live = places_.taken(), elements = pages_ * in_slab_;
    uint64_t hits = 0;
    for (const Cache& cache : caches_) {
        hits += cache.hits.load(std::memory_order_relaxed);
    }
    return {
        .name = options_.name,
        .element_size = element_size_,
        .live = live,
        .peak = peak_.load(std::memory_order_relaxed),
        .free = elements - std::min(live, elements),    // a place may have been taken for which there is no element yet
        .pages = pages_,
        .limit = options_.limit,
        .allocations = hits + misses_,
        .cache_hits = hits,
        .lock_acquisitions = lock_acquisitions_,
    };
}

// --- pages are given back ---

PageCount Zone::reclaim(Slabs& out) {
    SpinGuard guard(lock_);
    lock_was_taken();
    flush_locked(cache_of_this_core(), 0);
    return unlink_free_slabs_locked(out);
}

void Zone::give_up_all_pages() {
    if (places_.taken() != 0) {
        TextBuffer<128> message;
        message.add("zone \"{}\" destroyed while {} of its elements are live", options_.name, places_.taken());
        panic(message.c_str(), places_.taken());
    }
    Slabs unlinked;
    {
        SpinGuard guard(lock_);
        for (Cache& cache : caches_) {
            flush_locked(cache, 0);
        }
        unlink_free_slabs_locked(unlinked);
        ASSERT(pages_ == 0);
    }
    release_pages(unlinked);
}

PageCount Zone::unlink_free_slabs_locked(Slabs& out) {
    PageCount count;
    for (Slab* slab = usable_.last(); slab != nullptr && slab->away() == 0; slab = usable_.last()) {
        usable_.remove(*slab);
        out.push_back(*slab);
        ++count.value;
    }
    pages_ -= count.value;
    return count;
}

// --- all zones ---

namespace {

void append(Zone& zone) {
    SpinGuard guard(list_lock);
    Zone** end = &oldest;
    while (*end != nullptr) {
        end = &(*end)->next;
    }
    *end = &zone;
}

// Waits until no core looks at the zone, which is soon: visitors keep their interrupts off.
void unlink(Zone& zone) {
    for (;; cpu::relax()) {
        SpinGuard guard(list_lock);
        if (zone.visitors == 0) {
            Zone** to_it = &oldest;
            while (*to_it != &zone) {
                to_it = &(*to_it)->next;
            }
            *to_it = zone.next;
            return;
        }
    }
}

// Goes from one zone to the next one, which stays on the list until the visit ends. Interrupts off.
Zone* visit_next(Zone* zone) {
    SpinGuard guard(list_lock);
    if (zone != nullptr) {
        --zone->visitors;
    }
    Zone* next = zone != nullptr ? zone->next : oldest;
    if (next != nullptr) {
        ++next->visitors;
    }
    return next;
}

}  // namespace

Result<Zone&> zone_create(const ZoneOptions& options) {
    if (options.element_size == 0 || options.element_size > largest_element) {
        return Error::Invalid;
    }
    const PhysAddr page = TRY(pages::allocate(PageUse::Zone));
    Zone& zone = (new (ram::at<void>(page)) ZonePage(options))->zone;
    append(zone);
    return zone;
}

void zone_destroy(Zone& zone) {
    unlink(zone);
    zone.give_up_all_pages();
    const PhysAddr page = ram::phys_of(&zone).page_down();
    ram::at<ZonePage>(page)->~ZonePage();
    pages::release(page);
}

Result<void*> zalloc(Zone& zone, ZallocOptions options) { return zone.allocate(options); }

void zfree(Zone& zone, void* element) { zone.free(element); }

ZoneStats zone_stats(Zone& zone) { return zone.stats(); }

Zone* zone_next(Zone* zone) {
    SpinGuard guard(list_lock);
    return zone != nullptr ? zone->next : oldest;
}

PageCount zone_reclaim() {
    Slabs unlinked;
    PageCount count;
    {
        InterruptGuard off;
        for (Zone* zone = visit_next(nullptr); zone != nullptr; zone = visit_next(zone)) {
            count.value += zone->reclaim(unlinked).value;
        }
    }
    release_pages(unlinked);
    return count;
}
