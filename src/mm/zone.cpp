// Zones: the reference of lab 1. See zone.h for the contract.
//
// A zone's pages are slabs: a header, a record for each element, the elements. An element's way:
//
//       slab  <---- zone lock ---->  magazine of a core  <---- interrupts off ---->  caller
//
// Slab::taken says which elements are out of the slab (zone lock). An element's record says whether a caller has it,
// and which code took or freed it last: it changes by one atomic exchange, so that a double free is found wherever
// the element lies. Live elements are counted before they are taken, which makes the limit exact.
// Locks: Zone::lock_ (LockRank::Zone) for slabs and waiters, zone_list_lock (LockRank::ZoneList) for the list.
// Counterpart in the original: osfmk/kern/zalloc.c.
#include "mm/zone.h"

#include <atomic>

#include "base/bitmap.h"
#include "base/failpoint.h"
#include "base/format.h"
#include "base/list.h"
#include "machine/park.h"
#include "machine/trace.h"
#include "mm/page.h"

namespace {

constexpr size_t largest_element = 2048;
constexpr size_t element_alignment = 16;

constexpr size_t aligned(size_t bytes) { return (bytes + element_alignment - 1) & ~(element_alignment - 1); }

// Who took or freed an element last, in one word: the distance of the calling code from zalloc, and a bit.
class ElementRecord {
public:
    bool exchange(bool live, const void* caller, const void*& previous_caller) {
        uint32_t before = word_.exchange(pack(live, caller), std::memory_order_relaxed);
        previous_caller = unpack(before);
        return (before & 1) != 0;
    }
    const void* caller() const { return unpack(word_.load(std::memory_order_relaxed)); }

private:
    static int64_t base() { return reinterpret_cast<int64_t>(&zone_stats); }
    static uint32_t pack(bool live, const void* caller) {
        int64_t distance = reinterpret_cast<int64_t>(caller) - base();
        return static_cast<uint32_t>(distance) << 1 | (live ? 1u : 0u);
    }
    static const void* unpack(uint32_t word) {
        if (word == 0) {
            return nullptr;     // never taken
        }
        return reinterpret_cast<const void*>(base() + (static_cast<int32_t>(word) >> 1));
    }
    std::atomic<uint32_t> word_{0};
};

// The head of a page of elements.
struct Slab {
    static constexpr size_t most_elements = 201;    // of 16 bytes
    static constexpr size_t words = (most_elements + 63) / 64;

    Zone* zone;
    ListNode link;
    uint64_t taken[words];      // elements that are not in the slab; bits beyond the last element are set
    uint32_t taken_count;

    ElementRecord* records() { return reinterpret_cast<ElementRecord*>(this + 1); }
};
static_assert(sizeof(Slab) == 64);

constexpr size_t first_offset(size_t elements) { return aligned(sizeof(Slab) + elements * sizeof(ElementRecord)); }

constexpr size_t elements_per_slab(size_t size) { return (page_size - sizeof(Slab)) / (size + sizeof(ElementRecord)); }
static_assert(elements_per_slab(16) <= Slab::most_elements && elements_per_slab(largest_element) >= 1);

// The records are rounded up: for no size does that push the last element over the end of the page.
consteval bool all_sizes_fit() {
    for (size_t size = element_alignment; size <= largest_element; size += element_alignment) {
        const size_t count = elements_per_slab(size);
        if (first_offset(count) + count * size > page_size) {
            return false;
        }
    }
    return true;
}
static_assert(all_sizes_fit());

// The elements that one core has at hand. Only that core touches it, with interrupts off; stats read the counters.
struct Magazine {
    static constexpr uint32_t capacity = 16;
    static constexpr uint32_t batch = capacity / 2;

    std::atomic<uint32_t> count{0};
    std::atomic<uint64_t> allocations{0}, hits{0};
    void* elements[capacity];

    void push(void* element) {
        uint32_t n = count.load(std::memory_order_relaxed);
        elements[n] = element;
        count.store(n + 1, std::memory_order_relaxed);
    }
    void* pop() {
        uint32_t n = count.load(std::memory_order_relaxed);
        if (n == 0) {
            return nullptr;
        }
        count.store(n - 1, std::memory_order_relaxed);
        return elements[n - 1];
    }
    bool full() const { return count.load(std::memory_order_relaxed) == capacity; }
    static void bump(std::atomic<uint64_t>& counter) {
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
};

// A thread that waits until it may have an element. On its stack.
struct SlotWaiter {
    bool granted = false;
    Channel channel;
    ListNode link;
};

}  // namespace

class Zone {
public:
    explicit Zone(const ZoneOptions& options)
        : options_(options), size_(aligned(options.element_size)), per_slab_(elements_per_slab(size_)),
          first_(first_offset(per_slab_)) {}

    Result<void*> allocate(ZallocOptions options, const void* caller);
    void free(void* element, const void* caller);
    PageCount reclaim();
    void end();         // gives everything back; panics if an element is live
    ZoneStats stats();

    ListNode list_link;

private:
    using Slabs = List<Slab, &Slab::link>;

    // Holds lock_, and counts that it was taken: what the magazines are there to avoid.
    class SCOPED_CAPABILITY CountedGuard {
    public:
        explicit CountedGuard(Zone& zone) ACQUIRE(zone.lock_) : guard_(zone.lock_) { ++zone.lock_acquisitions_; }
        ~CountedGuard() RELEASE() {}

    private:
        SpinGuard guard_;
    };

    bool try_reserve();
    Result<> reserve(bool wait);
    void unreserve();
    void grant_slots_locked() REQUIRES(lock_);

    [[gnu::always_inline]] inline Result<void*> take();
    // Seldom: kept out of line, so that the usual way saves few registers.
    [[gnu::noinline]] void* take_from_slabs(Magazine& magazine);
    [[gnu::noinline]] void give_to_slabs(Magazine& magazine, uint32_t keep);
    [[gnu::noinline]] Result<> grow();
    void* take_element_locked(Slab& slab) REQUIRES(lock_);
    void give_element_locked(void* element) REQUIRES(lock_);

    static Slab& slab_of(void* element) {
        return *reinterpret_cast<Slab*>(reinterpret_cast<uint64_t>(element) & ~(page_size - 1));
    }
    size_t index_in(Slab& slab, void* element) const {
        return (static_cast<size_t>(static_cast<char*>(element) - reinterpret_cast<char*>(&slab)) - first_) / size_;
    }
    void* element_at(Slab& slab, size_t index) const { return reinterpret_cast<char*>(&slab) + first_ + index * size_; }
    // The slab that the element lies in; panics if it is no element of this zone.
    Slab& checked_slab_of(void* element, const void* caller) const;
    // With ram::junk_everywhere: panics if an element that was free is not as free left it.
    void check_untouched(const void* element, const void* caller, const void* freed_by) const;
    [[noreturn]] void report(const char* what, const void* element, const void* caller, const void* earlier = nullptr,
                             const char* other_zone = nullptr) const;
    Magazine& here() { return of_this_core(magazines_); }

    const ZoneOptions options_;
    const size_t size_;         // of an element, rounded up
    const size_t per_slab_;
    const size_t first_;        // offset of the first element in its slab

    std::atomic<size_t> live_{0}, peak_{0};
    std::atomic<uint32_t> waiting_{0};      // the length of waiters_; written under the lock

    SpinLock lock_{LockRank::Zone, "zone"};
    Slabs partial_ GUARDED_BY(lock_), empty_ GUARDED_BY(lock_), full_ GUARDED_BY(lock_);    // by what the slab still has
    size_t slabs_ GUARDED_BY(lock_) = 0;
    List<SlotWaiter, &SlotWaiter::link> waiters_ GUARDED_BY(lock_);
    uint64_t lock_acquisitions_ GUARDED_BY(lock_) = 0;

    Magazine magazines_[max_cores];
};

static_assert(sizeof(Zone) <= largest_element);

// --- the limit: a slot is reserved before an element is taken, and given back after it was freed ---

bool Zone::try_reserve() {
    size_t live = live_.load(std::memory_order_relaxed);
    do {
        if (options_.limit != 0 && live >= options_.limit) {
            return false;
        }
    } while (!live_.compare_exchange_weak(live, live + 1, std::memory_order_seq_cst, std::memory_order_relaxed));
    size_t peak = peak_.load(std::memory_order_relaxed);
    while (peak < live + 1 && !peak_.compare_exchange_weak(peak, live + 1, std::memory_order_relaxed)) {
    }
    return true;
}

// Whoever waits goes first: a newcomer takes no slot past them.
Result<> Zone::reserve(bool wait) {
    if (waiting_.load(std::memory_order_relaxed) == 0 && try_reserve()) [[likely]] {
        return {};
    }
    if (!wait) {
        return Error::TryAgain;
    }
    SlotWaiter self;
    CountedGuard guard(*this);
    waiters_.push_back(self);
    waiting_.fetch_add(1, std::memory_order_seq_cst);
    grant_slots_locked();       // a slot that came back before we were counted
    while (!self.granted) {
        park(self.channel, lock_);
    }
    return {};
}

// Sequentially consistent on both sides: either this sees the waiter, or the waiter sees the slot.
void Zone::unreserve() {
    live_.fetch_sub(1, std::memory_order_seq_cst);
    if (waiting_.load(std::memory_order_seq_cst) != 0) {
        CountedGuard guard(*this);
        grant_slots_locked();
    }
}

void Zone::grant_slots_locked() {
    while (SlotWaiter* first = waiters_.first()) {
        if (!try_reserve()) {
            return;
        }
        waiters_.remove(*first);
        waiting_.fetch_sub(1, std::memory_order_seq_cst);
        first->granted = true;
        wake_one(first->channel);
    }
}

// --- slab <-> magazine ---

void* Zone::take_element_locked(Slab& slab) {
    size_t index = Bitmap(slab.taken, per_slab_).first_clear(0, per_slab_);
    Bitmap(slab.taken, per_slab_).set(index);
    if (slab.taken_count++ == 0 || slab.taken_count == per_slab_) {
        slab.link.unlink();
        (slab.taken_count == per_slab_ ? full_ : partial_).push_front(slab);
    }
    return element_at(slab, index);
}

void Zone::give_element_locked(void* element) {
    Slab& slab = slab_of(element);
    Bitmap(slab.taken, per_slab_).clear(index_in(slab, element));
    if (slab.taken_count-- == per_slab_ || slab.taken_count == 0) {
        slab.link.unlink();
        (slab.taken_count == 0 ? empty_ : partial_).push_front(slab);
    }
}

// An element for the caller and some more for the core's magazine; nullptr if no slab has any.
void* Zone::take_from_slabs(Magazine& magazine) {
    CountedGuard guard(*this);
    void* result = nullptr;
    for (uint32_t n = 0; n <= Magazine::batch; ++n) {
        Slab* slab = partial_.first() != nullptr ? partial_.first() : empty_.first();
        if (slab == nullptr) {
            break;
        }
        void* element = take_element_locked(*slab);
        if (result == nullptr) {
            result = element;
        } else {
            magazine.push(element);
        }
    }
    return result;
}

void Zone::give_to_slabs(Magazine& magazine, uint32_t keep) {
    CountedGuard guard(*this);
    while (magazine.count.load(std::memory_order_relaxed) > keep) {
        give_element_locked(magazine.pop());
    }
}

// A new slab. The zone's lock is not held while a page is looked for: reclaiming takes the locks of zones.
Result<> Zone::grow() {
    PhysAddr page = TRY(options_.clear_on_free ? pages::allocate_zeroed(PageUse::Zone) : pages::allocate(PageUse::Zone));
    Slab& slab = *new (ram::at<void>(page)) Slab{};
    slab.zone = this;
    for (size_t i = 0; i < per_slab_; ++i) {
        new (&slab.records()[i]) ElementRecord;
        if (!options_.clear_on_free) {
            ram::poison(element_at(slab, i), size_);
        }
    }
    CountedGuard guard(*this);
    empty_.push_front(slab);
    ++slabs_;
    trace::event(TraceKind::ZoneGrow, options_.name, slabs_);
    return {};
}

Result<void*> Zone::take() {
    for (;;) {
        {
            InterruptGuard off;
            Magazine& magazine = here();
            if (void* element = magazine.pop()) [[likely]] {
                Magazine::bump(magazine.allocations);
                Magazine::bump(magazine.hits);
                return element;
            }
            if (void* element = take_from_slabs(magazine)) {
                Magazine::bump(magazine.allocations);
                return element;
            }
        }
        TRY(grow());
    }
}

// --- the doors ---

Result<void*> Zone::allocate(ZallocOptions options, const void* caller) {
    TRY(reserve(options.wait));
    Result<void*> taken = take();
    if (!taken.ok()) {
        unreserve();
        return taken.error();
    }
    void* element = taken.value();
    Slab& slab = slab_of(element);
    const void* earlier;
    if (slab.records()[index_in(slab, element)].exchange(true, caller, earlier)) {
        report("free element is in use", element, caller, earlier);
    }
    if (!options_.clear_on_free) {
        ram::unpoison(element, size_);
    }
    if (ram::junk_everywhere) [[unlikely]] {
        check_untouched(element, caller, earlier);
    }
    if (options.zero && !options_.clear_on_free) {
        __builtin_memset(element, 0, size_);
    }
    return element;
}

void Zone::free(void* element, const void* caller) {
    Slab& slab = checked_slab_of(element, caller);
    const void* earlier;
    if (!slab.records()[index_in(slab, element)].exchange(false, caller, earlier)) {
        report("double free", element, caller, earlier);
    }
    if (options_.clear_on_free) {
        __builtin_memset(element, 0, size_);
    } else {
        ram::poison(element, size_);
    }
    {
        InterruptGuard off;
        Magazine& magazine = here();
        if (magazine.full()) {
            give_to_slabs(magazine, Magazine::capacity - Magazine::batch);
        }
        magazine.push(element);
    }
    unreserve();
}

// Whoever writes to an element after freeing it breaks the next one to have it, far from the mistake.
void Zone::check_untouched(const void* element, const void* caller, const void* freed_by) const {
    const uint64_t expected = options_.clear_on_free ? 0 : ram::junk;
    const auto* words = static_cast<const uint64_t*>(element);
    for (size_t i = 0; i < size_ / sizeof(uint64_t); ++i) {
        if (words[i] != expected) {
            TextBuffer<64> what;
            what.add("written to at byte {} while it was free", i * sizeof(uint64_t));
            report(what.c_str(), element, caller, freed_by);
        }
    }
}

Slab& Zone::checked_slab_of(void* element, const void* caller) const {
    PhysAddr address = ram::phys_of(element);
    if (pages::use_of(address) != PageUse::Zone) {
        report("free of what lies in no zone", element, caller);
    }
    Slab& slab = slab_of(element);
    if (slab.zone != this) {
        report("free into the wrong zone", element, caller, nullptr, slab.zone->options_.name);
    }
    size_t offset = address.page_offset();
    if (offset < first_ || (offset - first_) % size_ != 0 || (offset - first_) / size_ >= per_slab_) {
        report("free of what is no element", element, caller);
    }
    return slab;
}

void Zone::report(const char* what, const void* element, const void* caller, const void* earlier,
                  const char* other_zone) const {
    TextBuffer<240> text;
    text.add("zone \"{}\": {}: element {}, caller {}", options_.name, what, element, caller);
    if (earlier != nullptr) {
        text.add(", earlier caller {}", earlier);
    }
    if (other_zone != nullptr) {
        text.add(", its zone is \"{}\"", other_zone);
    }
    panic(text.c_str(), reinterpret_cast<uint64_t>(element), reinterpret_cast<uint64_t>(caller));
}

PageCount Zone::reclaim() {
    {
        InterruptGuard off;
        give_to_slabs(here(), 0);
    }
    Slabs unused;
    size_t count = 0;
    {
        CountedGuard guard(*this);
        while (Slab* slab = empty_.pop_front()) {
            unused.push_back(*slab);
            --slabs_;
            ++count;
        }
    }
    while (Slab* slab = unused.pop_front()) {
        ram::unpoison(slab, page_size);
        pages::release(ram::phys_of(slab));
    }
    return PageCount(count);
}

ZoneStats Zone::stats() {
    ZoneStats result;
    result.name = options_.name;
    result.element_size = size_;
    result.limit = options_.limit;
    result.live = live_.load(std::memory_order_relaxed);
    result.peak = peak_.load(std::memory_order_relaxed);
    for (const Magazine& magazine : magazines_) {
        result.allocations += magazine.allocations.load(std::memory_order_relaxed);
        result.cache_hits += magazine.hits.load(std::memory_order_relaxed);
    }
    SpinGuard guard(lock_);
    result.pages = slabs_;
    result.lock_acquisitions = lock_acquisitions_;
    size_t all = slabs_ * per_slab_;
    result.free = all > result.live ? all - result.live : 0;
    return result;
}

// Nobody uses the zone any more: the magazines of the other cores are quiet.
void Zone::end() {
    for (Magazine& magazine : magazines_) {
        give_to_slabs(magazine, 0);
    }
    {
        SpinGuard guard(lock_);
        for (Slabs* list : {&full_, &partial_}) {
            if (Slab* slab = list->first()) {
                size_t i = 0;
                while (!Bitmap(slab->taken, per_slab_).test(i)) {   // one is taken, else the slab were empty
                    ++i;
                }
                report("destroyed with a live element", element_at(*slab, i), slab->records()[i].caller());
            }
        }
    }
    reclaim();
}

// --- the list of zones ---

namespace {

using Zones = List<Zone, &Zone::list_link>;

constinit SpinLock zone_list_lock{LockRank::ZoneList, "zone list"};
alignas(Zones) unsigned char zone_list_storage[sizeof(Zones)];
alignas(Zone) unsigned char zone_of_zones_storage[sizeof(Zone)];
Zone* zone_of_zones = nullptr;      // the zone whose elements are the other zones

Zones& zone_list() { return *std::launder(reinterpret_cast<Zones*>(zone_list_storage)); }

// The first zone can not come from a zone. Core 0 alone comes here, with the first zone_create.
void make_zone_of_zones() {
    new (zone_list_storage) Zones;
    zone_of_zones = new (zone_of_zones_storage) Zone({.name = "zones", .element_size = sizeof(Zone)});
    SpinGuard guard(zone_list_lock);
    zone_list().push_back(*zone_of_zones);
}

}  // namespace

Result<Zone&> zone_create(const ZoneOptions& options) {
    if (options.element_size == 0 || options.element_size > largest_element) {
        return Error::Invalid;
    }
    if (zone_of_zones == nullptr) {
        make_zone_of_zones();
    }
    Zone& zone = *new (TRY(zalloc(*zone_of_zones))) Zone(options);
    SpinGuard guard(zone_list_lock);
    zone_list().push_back(zone);
    return zone;
}

void zone_destroy(Zone& zone) {
    zone.end();
    {
        SpinGuard guard(zone_list_lock);
        zone_list().remove(zone);
    }
    zone.~Zone();
    zfree(*zone_of_zones, &zone);
}

Result<void*> zalloc(Zone& zone, ZallocOptions options) {
    if (failpoint::should_fail()) {
        return Error::NoMemory;
    }
    return zone.allocate(options, __builtin_return_address(0));
}

void zfree(Zone& zone, void* element) { zone.free(element, __builtin_return_address(0)); }

ZoneStats zone_stats(Zone& zone) { return zone.stats(); }

Zone* zone_next(Zone* zone) {
    SpinGuard guard(zone_list_lock);
    if (zone_of_zones == nullptr) {
        return nullptr;
    }
    return zone == nullptr ? zone_list().first() : zone_list().after(*zone);
}

PageCount zone_reclaim() {
    size_t count = 0;
    for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
        count += zone->reclaim().value;
    }
    return PageCount(count);
}
