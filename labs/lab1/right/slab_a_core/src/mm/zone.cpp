// Lab 1, of another make: no core has a cache of elements; each has a whole slab to itself. It takes from that slab and gives to it
// with interrupts off. What belongs to another core's slab is given there under the lock, on a second bitmap that the other core
// looks at when its first one is empty.
//
// Slab::mine is the owner's alone; of a slab without an owner it is guarded by the zone's lock, like everything else.
#include "mm/zone.h"

#include <atomic>
#include <bit>

#include "base/failpoint.h"
#include "base/format.h"
#include "base/list.h"
#include "machine/park.h"
#include "mm/page.h"

namespace {

constexpr size_t slab_words = 4;
constexpr unsigned nobody = ~0u;

// Bits of the elements that are free.
struct Set {
    uint64_t words[slab_words];

    bool empty() const { return (words[0] | words[1] | words[2] | words[3]) == 0; }
    void add(size_t i) { words[i / 64] |= uint64_t{1} << (i % 64); }
    size_t take_one() {
        size_t w = 0;
        while (words[w] == 0) {
            ++w;
        }
        const auto bit = static_cast<size_t>(std::countr_zero(words[w]));
        words[w] &= words[w] - 1;
        return w * 64 + bit;
    }
    void take_all(Set& from) {
        for (size_t w = 0; w < slab_words; ++w) {
            words[w] |= from.words[w];
            from.words[w] = 0;
        }
    }
    size_t count() const {
        size_t n = 0;
        for (const uint64_t word : words) {
            n += static_cast<size_t>(std::popcount(word));
        }
        return n;
    }
};

struct Slab {
    Zone* zone;
    std::atomic<unsigned> owner;
    Set mine, returned;                     // returned: by other cores
    std::atomic<uint64_t> live[slab_words]; // elements that a caller has
    ListNode link;                          // of a slab without owner

    // Whether it was so before.
    bool set_live(size_t i) { return (live[i / 64].fetch_or(bit(i), std::memory_order_relaxed) & bit(i)) != 0; }
    bool set_dead(size_t i) { return (live[i / 64].fetch_and(~bit(i), std::memory_order_relaxed) & bit(i)) == 0; }
    static uint64_t bit(size_t i) { return uint64_t{1} << (i % 64); }
};
constexpr size_t header = (sizeof(Slab) + 15) & ~size_t{15};

struct Queued {
    bool go = false;
    Channel channel;
    ListNode link;
};

}  // namespace

class Zone {
public:
    explicit Zone(const ZoneOptions& options)
        : options_(options), size_((options.element_size + 15) & ~size_t{15}), per_slab_((page_size - header) / size_) {}

    Result<void*> allocate(ZallocOptions wanted);
    void free(void* element);
    size_t reclaim();
    void destroy();
    ZoneStats stats();

    Zone* next = nullptr;       // in the order of their making

private:
    struct Core {
        Slab* slab = nullptr;
        std::atomic<uint64_t> allocations{0}, quick{0};
    };

    Slab* find_slab(Core& core, unsigned id);
    void leave_slab_locked(Core& core) REQUIRES(lock_);
    Result<> grow();
    Result<> enter(bool wait);
    void leave();
    Slab& slab_of(void* element) const;
    size_t index_of(void* element) const { return (reinterpret_cast<uint64_t>(element) % page_size - header) / size_; }
    [[noreturn]] void stop(const char* why, const void* element) const {
        TextBuffer<160> text;
        text.add("zone \"{}\": {} ({})", options_.name, why, element);
        panic(text.c_str());
    }

    const ZoneOptions options_;
    const size_t size_, per_slab_;
    std::atomic<size_t> live_{0}, peak_{0};
    SpinLock lock_{LockRank::Zone, "zone"};
    List<Slab, &Slab::link> some_ GUARDED_BY(lock_), none_ GUARDED_BY(lock_);   // slabs without owner, by what they have
    List<Queued, &Queued::link> queue_ GUARDED_BY(lock_);
    size_t slabs_ GUARDED_BY(lock_) = 0;
    uint64_t acquisitions_ GUARDED_BY(lock_) = 0;
    Core cores_[max_cores];
};

// One more may be live; at the limit in the order of coming.
Result<> Zone::enter(bool wait) {
    if (options_.limit != 0) {
        SpinGuard guard(lock_);
        ++acquisitions_;
        if (live_.load() >= options_.limit) {
            if (!wait) {
                return Error::TryAgain;
            }
            Queued self;
            queue_.push_back(self);
            do {
                park(self.channel, lock_);
            } while (!self.go);
            return {};      // the place of the one who left
        }
        ++live_;
    } else {
        ++live_;
    }
    const size_t now = live_.load();
    for (size_t before = peak_.load(); before < now && !peak_.compare_exchange_strong(before, now);) {
    }
    return {};
}

void Zone::leave() {
    if (options_.limit != 0) {
        SpinGuard guard(lock_);
        ++acquisitions_;
        if (Queued* first = queue_.pop_front()) {
            first->go = true;
            wake_one(first->channel);
            return;
        }
        --live_;
        return;
    }
    --live_;
}

void Zone::leave_slab_locked(Core& core) {
    if (Slab* slab = core.slab) {
        core.slab = nullptr;
        slab->mine.take_all(slab->returned);
        slab->owner.store(nobody, std::memory_order_relaxed);
        (slab->mine.empty() ? none_ : some_).push_front(*slab);
    }
}

// The core's slab, with an element in it; nullptr if there is none anywhere.
Slab* Zone::find_slab(Core& core, unsigned id) {
    SpinGuard guard(lock_);
    ++acquisitions_;
    if (core.slab != nullptr) {
        core.slab->mine.take_all(core.slab->returned);
        if (!core.slab->mine.empty()) {
            return core.slab;
        }
    }
    leave_slab_locked(core);
    if (Slab* slab = some_.pop_front()) {
        slab->owner.store(id, std::memory_order_relaxed);
        core.slab = slab;
    }
    return core.slab;
}

Result<> Zone::grow() {
    const PhysAddr page = TRY(pages::allocate_zeroed(PageUse::Zone));
    Slab& slab = *new (ram::at<void>(page)) Slab{};
    slab.zone = this;
    slab.owner = nobody;
    for (size_t i = 0; i < per_slab_; ++i) {
        slab.mine.add(i);
    }
    if (!options_.clear_on_free) {
        ram::poison(reinterpret_cast<char*>(&slab) + header, per_slab_ * size_);
    }
    SpinGuard guard(lock_);
    ++acquisitions_;
    some_.push_back(slab);
    ++slabs_;
    return {};
}

Result<void*> Zone::allocate(ZallocOptions wanted) {
    TRY(enter(wanted.wait));
    for (;;) {
        {
            InterruptGuard off;
            const unsigned id = cpu::current().id;
            Core& core = cores_[id];
            const bool quick = core.slab != nullptr && !core.slab->mine.empty();
            if (Slab* slab = quick ? core.slab : find_slab(core, id)) {
                core.allocations.store(core.allocations.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
                core.quick.store(core.quick.load(std::memory_order_relaxed) + (quick ? 1 : 0), std::memory_order_relaxed);
                const size_t i = slab->mine.take_one();
                slab->set_live(i);
                char* element = reinterpret_cast<char*>(slab) + header + i * size_;
                ram::unpoison(element, size_);
                if (wanted.zero) {
                    __builtin_memset(element, 0, size_);
                }
                return static_cast<void*>(element);
            }
        }
        Result<> more = grow();
        if (!more.ok()) {
            leave();
            return more.error();
        }
    }
}

void Zone::free(void* element) {
    Slab& slab = slab_of(element);
    const size_t i = index_of(element);
    if (slab.set_dead(i)) {
        stop("this element is free already", element);
    }
    if (options_.clear_on_free) {
        __builtin_memset(element, 0, size_);
    } else {
        ram::poison(element, size_);
    }
    {
        InterruptGuard off;
        if (slab.owner.load(std::memory_order_relaxed) == cpu::current().id) {
            slab.mine.add(i);
        } else {
            SpinGuard guard(lock_);
            ++acquisitions_;
            if (slab.owner.load(std::memory_order_relaxed) != nobody) {
                slab.returned.add(i);
            } else {
                if (slab.mine.empty()) {
                    none_.remove(slab);
                    some_.push_front(slab);
                }
                slab.mine.add(i);
            }
        }
    }
    leave();
}

Slab& Zone::slab_of(void* element) const {
    if (pages::use_of(ram::phys_of(element)) != PageUse::Zone) {
        stop("this is no memory of zones", element);
    }
    Slab& slab = *reinterpret_cast<Slab*>(reinterpret_cast<uint64_t>(element) & ~(page_size - 1));
    if (slab.zone != this) {
        stop("this belongs to another zone", element);
    }
    const size_t offset = reinterpret_cast<uint64_t>(element) % page_size;
    if (offset < header || (offset - header) % size_ != 0 || index_of(element) >= per_slab_) {
        stop("no element begins here", element);
    }
    return slab;
}

size_t Zone::reclaim() {
    List<Slab, &Slab::link> gone;
    size_t count = 0;
    {
        SpinGuard guard(lock_);
        ++acquisitions_;
        leave_slab_locked(cores_[cpu::current().id]);
        for (Slab& slab : some_) {
            if (slab.mine.count() == per_slab_) {
                some_.remove(slab);
                gone.push_back(slab);
                --slabs_;
                ++count;
            }
        }
    }
    while (Slab* slab = gone.pop_front()) {
        ram::unpoison(slab, page_size);
        pages::release(ram::phys_of(slab));
    }
    return count;
}

void Zone::destroy() {
    if (live_.load() != 0) {
        stop("is destroyed while elements live", nullptr);
    }
    {
        SpinGuard guard(lock_);
        for (Core& core : cores_) {
            leave_slab_locked(core);
        }
    }
    reclaim();
}

ZoneStats Zone::stats() {
    ZoneStats told{.name = options_.name, .element_size = size_, .live = live_.load(), .peak = peak_.load(), .limit = options_.limit};
    for (const Core& core : cores_) {
        told.allocations += core.allocations.load(std::memory_order_relaxed);
        told.cache_hits += core.quick.load(std::memory_order_relaxed);
    }
    SpinGuard guard(lock_);
    told.pages = slabs_;
    told.lock_acquisitions = acquisitions_;
    told.free = slabs_ * per_slab_ - (told.live < slabs_ * per_slab_ ? told.live : slabs_ * per_slab_);
    return told;
}

namespace {

constinit SpinLock zones_lock{LockRank::ZoneList, "zones"};
Zone* first_zone = nullptr;
Zone* zones_of_zones = nullptr;
alignas(Zone) unsigned char first_memory[sizeof(Zone)];

void append(Zone& zone) {
    SpinGuard guard(zones_lock);
    Zone** end = &first_zone;
    while (*end != nullptr) {
        end = &(*end)->next;
    }
    *end = &zone;
}

}  // namespace

Result<Zone&> zone_create(const ZoneOptions& options) {
    if (options.element_size == 0 || options.element_size > 2048) {
        return Error::Invalid;
    }
    if (zones_of_zones == nullptr) {
        zones_of_zones = new (first_memory) Zone({.name = "zones", .element_size = sizeof(Zone)});
        append(*zones_of_zones);
    }
    Zone& zone = *new (TRY(zalloc(*zones_of_zones))) Zone(options);
    append(zone);
    return zone;
}

void zone_destroy(Zone& zone) {
    zone.destroy();
    {
        SpinGuard guard(zones_lock);
        Zone** at = &first_zone;
        while (*at != &zone) {
            at = &(*at)->next;
        }
        *at = zone.next;
    }
    zone.~Zone();
    zfree(*zones_of_zones, &zone);
}

Result<void*> zalloc(Zone& zone, ZallocOptions options) {
    if (failpoint::should_fail()) {
        return Error::NoMemory;
    }
    return zone.allocate(options);
}

void zfree(Zone& zone, void* element) { zone.free(element); }

ZoneStats zone_stats(Zone& zone) { return zone.stats(); }

Zone* zone_next(Zone* zone) {
    SpinGuard guard(zones_lock);
    return zone == nullptr ? first_zone : zone->next;
}

PageCount zone_reclaim() {
    size_t count = 0;
    for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
        count += zone->reclaim();
    }
    return PageCount(count);
}
