// Lab 1, of another make: Bonwick's magazines. Each core has a loaded magazine and the one before it; only when both are empty, or
// both full, does it exchange a whole magazine with the zone's depot, under the lock. Elements begin at the start of a page, what is
// known of them lies at its end: a byte each, which says where the element is. Who waits has a ticket.
#include "mm/zone.h"

#include <atomic>
#include <utility>

#include "base/failpoint.h"
#include "base/format.h"
#include "base/list.h"
#include "machine/park.h"
#include "mm/page.h"

namespace {

constexpr size_t largest = 2048;
constexpr unsigned rounds = 7, depot_size = 6;

enum class At : uint8_t { Page, Magazine, Caller };

// The last bytes of a page. In front of it, growing down: a byte for each element.
struct Tail {
    Zone* zone;
    ListNode link;
    uint16_t in_page, hint;     // elements in the page; none of them lies before hint

    std::atomic<At>& at(size_t i) { return reinterpret_cast<std::atomic<At>*>(this)[-1 - static_cast<ptrdiff_t>(i)]; }
};
static_assert(sizeof(std::atomic<At>) == 1);

Tail& tail_of(const void* element) {
    const uint64_t page = reinterpret_cast<uint64_t>(element) & ~(page_size - 1);
    return *reinterpret_cast<Tail*>(page + page_size - sizeof(Tail));
}
char* page_of(Tail& tail) { return reinterpret_cast<char*>(&tail) + sizeof(Tail) - page_size; }

struct Magazine {
    void* element[rounds];
    unsigned count = 0;

    bool full() const { return count == rounds; }
    bool empty() const { return count == 0; }
};

struct PerCore {
    Magazine* loaded = nullptr;
    Magazine* previous = nullptr;
    std::atomic<uint64_t> served{0}, served_here{0};
};

void add_one(std::atomic<uint64_t>& to) { to.store(to.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

}  // namespace

class Zone {
public:
    explicit Zone(const ZoneOptions& options)
        : options_(options), size_((options.element_size + 15) / 16 * 16), per_page_((page_size - sizeof(Tail)) / (size_ + 1)) {
        for (unsigned i = 0; i < max_cores; ++i) {
            cores_[i].loaded = &magazines_[2 * i];
            cores_[i].previous = &magazines_[2 * i + 1];
        }
        for (unsigned i = 0; i < depot_size; ++i) {
            empty_[empties_++] = &magazines_[2 * max_cores + i];
        }
    }

    Result<void*> allocate(ZallocOptions how) {
        TRY(admit(how.wait));
        void* element = nullptr;
        while (element == nullptr) {
            element = from_magazines();
            if (element == nullptr) {
                if (Result<> grown = grow(); !grown.ok()) {
                    dismiss();
                    return grown.error();
                }
            }
        }
        tail_of(element).at(index(element)).store(At::Caller, std::memory_order_relaxed);
        ram::unpoison(element, size_);
        if (how.zero) {
            __builtin_memset(element, 0, size_);
        }
        return element;
    }

    void free(void* element) {
        must_be_ours(element);
        if (tail_of(element).at(index(element)).exchange(At::Magazine, std::memory_order_relaxed) != At::Caller) {
            fault("freed, and free already:", element);
        }
        if (options_.clear_on_free) {
            __builtin_memset(element, 0, size_);
        } else {
            ram::poison(element, size_);
        }
        to_magazines(element);
        dismiss();
    }

    // Magazines of this core and the depot's; with `all`, of all cores: nobody uses the zone any more.
    size_t give_back_pages(bool all) {
        Pages gone;
        size_t count = 0;
        {
            SpinGuard guard(lock_);
            ++acquisitions_;
            for (unsigned i = 0; i < max_cores; ++i) {
                if (all || i == cpu::current().id) {
                    unload_locked(*cores_[i].loaded);
                    unload_locked(*cores_[i].previous);
                }
            }
            while (fulls_ != 0) {
                unload_locked(*full_[--fulls_]);
                empty_[empties_++] = full_[fulls_];
            }
            for (Tail& tail : with_some_) {
                if (tail.in_page == per_page_) {
                    with_some_.remove(tail);
                    gone.push_back(tail);
                    --pages_;
                    ++count;
                }
            }
        }
        while (Tail* tail = gone.pop_front()) {
            void* page = page_of(*tail);
            ram::unpoison(page, page_size);
            pages::release(ram::phys_of(page));
        }
        return count;
    }

    void end() {
        if (live_.load() != 0) {
            fault("destroyed with live elements, so many:", reinterpret_cast<void*>(live_.load()));
        }
        give_back_pages(true);
    }

    ZoneStats stats() {
        ZoneStats told;
        told.name = options_.name;
        told.element_size = size_;
        told.limit = options_.limit;
        for (const PerCore& core : cores_) {
            told.allocations += core.served.load(std::memory_order_relaxed);
            told.cache_hits += core.served_here.load(std::memory_order_relaxed);
        }
        SpinGuard guard(lock_);
        told.live = live_.load();
        told.peak = peak_.load();
        told.pages = pages_;
        told.free = pages_ * per_page_ > told.live ? pages_ * per_page_ - told.live : 0;
        told.lock_acquisitions = acquisitions_;
        return told;
    }

    ListNode in_list;

private:
    using Pages = List<Tail, &Tail::link>;

    size_t index(const void* element) const { return reinterpret_cast<uint64_t>(element) % page_size / size_; }

    [[noreturn]] void fault(const char* what, const void* element) const {
        TextBuffer<200> text;
        text.add("zone {}: {} {}", options_.name, what, element);
        panic(text.c_str(), reinterpret_cast<uint64_t>(element));
    }

    void must_be_ours(void* element) const {
        if (pages::use_of(ram::phys_of(element)) != PageUse::Zone) {
            fault("freed, and in no zone:", element);
        }
        if (tail_of(element).zone != this) {
            fault("freed, and another zone's:", element);
        }
        if (reinterpret_cast<uint64_t>(element) % page_size % size_ != 0 || index(element) >= per_page_) {
            fault("freed, and not the start of an element:", element);
        }
    }

    // --- the limit: whoever leaves admits the next ticket, if there is one, in its own stead ---

    Result<> admit(bool wait) {
        if (options_.limit == 0) {
            note_peak(live_.fetch_add(1) + 1);
            return {};
        }
        SpinGuard guard(lock_);
        ++acquisitions_;
        if (live_.load() < options_.limit) {
            note_peak(live_.fetch_add(1) + 1);
            return {};
        }
        if (!wait) {
            return Error::TryAgain;
        }
        const uint64_t ticket = tickets_++;
        while (ticket >= admitted_) {
            park(door_, lock_);
        }
        return {};
    }

    void dismiss() {
        if (options_.limit == 0) {
            live_.fetch_sub(1);
            return;
        }
        SpinGuard guard(lock_);
        ++acquisitions_;
        if (admitted_ != tickets_) {
            ++admitted_;
            wake_one(door_);    // who has waited longest has the lowest ticket
        } else {
            live_.fetch_sub(1);
        }
    }

    void note_peak(size_t now) {
        size_t peak = peak_.load();
        while (peak < now && !peak_.compare_exchange_weak(peak, now)) {
        }
    }

    // --- magazines ---

    void* from_magazines() {
        InterruptGuard off;
        PerCore& core = cores_[cpu::current().id];
        bool here = true;
        if (core.loaded->empty()) {
            std::swap(core.loaded, core.previous);
        }
        if (core.loaded->empty()) {
            here = false;
            SpinGuard guard(lock_);
            ++acquisitions_;
            if (fulls_ != 0) {
                empty_[empties_++] = std::exchange(core.loaded, full_[--fulls_]);
            } else {
                load_locked(*core.loaded);
            }
        }
        if (core.loaded->empty()) {
            return nullptr;
        }
        add_one(core.served);
        if (here) {
            add_one(core.served_here);
        }
        return core.loaded->element[--core.loaded->count];
    }

    void to_magazines(void* element) {
        InterruptGuard off;
        PerCore& core = cores_[cpu::current().id];
        if (core.loaded->full()) {
            std::swap(core.loaded, core.previous);
        }
        if (core.loaded->full()) {
            SpinGuard guard(lock_);
            ++acquisitions_;
            if (empties_ != 0) {
                full_[fulls_++] = std::exchange(core.loaded, empty_[--empties_]);
            } else {
                unload_locked(*core.loaded);
            }
        }
        core.loaded->element[core.loaded->count++] = element;
    }

    // --- pages ---

    void load_locked(Magazine& magazine) REQUIRES(lock_) {
        while (!magazine.full() && !with_some_.empty()) {
            Tail& tail = *with_some_.first();
            size_t i = tail.hint;
            while (tail.at(i).load(std::memory_order_relaxed) != At::Page) {
                ++i;
            }
            tail.at(i).store(At::Magazine, std::memory_order_relaxed);
            tail.hint = static_cast<uint16_t>(i + 1);
            if (--tail.in_page == 0) {
                with_some_.remove(tail);
            }
            magazine.element[magazine.count++] = page_of(tail) + i * size_;
        }
    }

    void unload_locked(Magazine& magazine) REQUIRES(lock_) {
        while (!magazine.empty()) {
            void* element = magazine.element[--magazine.count];
            Tail& tail = tail_of(element);
            const size_t i = index(element);
            tail.at(i).store(At::Page, std::memory_order_relaxed);
            tail.hint = i < tail.hint ? static_cast<uint16_t>(i) : tail.hint;
            if (tail.in_page++ == 0) {
                with_some_.push_front(tail);
            }
        }
    }

    Result<> grow() {
        char* page = ram::at<char>(TRY(pages::allocate_zeroed(PageUse::Zone)));
        Tail& tail = *new (page + page_size - sizeof(Tail)) Tail{};
        tail.zone = this;
        tail.in_page = static_cast<uint16_t>(per_page_);
        if (!options_.clear_on_free) {
            ram::poison(page, per_page_ * size_);
        }
        SpinGuard guard(lock_);
        ++acquisitions_;
        with_some_.push_back(tail);
        ++pages_;
        return {};
    }

    const ZoneOptions options_;
    const size_t size_, per_page_;
    std::atomic<size_t> live_{0}, peak_{0};
    SpinLock lock_{LockRank::Zone, "zone"};
    Pages with_some_ GUARDED_BY(lock_);
    size_t pages_ GUARDED_BY(lock_) = 0;
    uint64_t tickets_ GUARDED_BY(lock_) = 0, admitted_ GUARDED_BY(lock_) = 0, acquisitions_ GUARDED_BY(lock_) = 0;
    Channel door_;
    Magazine magazines_[2 * max_cores + depot_size];
    Magazine* full_[depot_size] GUARDED_BY(lock_);
    Magazine* empty_[depot_size] GUARDED_BY(lock_);
    unsigned fulls_ GUARDED_BY(lock_) = 0, empties_ GUARDED_BY(lock_) = 0;
    PerCore cores_[max_cores];
};

static_assert(sizeof(Zone) <= largest);

namespace {

SpinLock zone_list_lock{LockRank::ZoneList, "zone list"};

// Made by the first zone, before other cores run.
struct Everything {
    List<Zone, &Zone::in_list> zones;
    Zone maker{{.name = "zones", .element_size = sizeof(Zone)}};
};
alignas(Everything) unsigned char memory[sizeof(Everything)];
Everything* everything = nullptr;

}  // namespace

Result<Zone&> zone_create(const ZoneOptions& options) {
    if (options.element_size - 1 >= largest) {
        return Error::Invalid;
    }
    if (everything == nullptr) {
        everything = new (memory) Everything;
        everything->zones.push_back(everything->maker);
    }
    Zone& zone = *new (TRY(zalloc(everything->maker))) Zone(options);
    SpinGuard guard(zone_list_lock);
    everything->zones.push_back(zone);
    return zone;
}

void zone_destroy(Zone& zone) {
    zone.end();
    {
        SpinGuard guard(zone_list_lock);
        everything->zones.remove(zone);
    }
    zone.~Zone();
    zfree(everything->maker, &zone);
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
    SpinGuard guard(zone_list_lock);
    if (everything == nullptr) {
        return nullptr;
    }
    return zone == nullptr ? everything->zones.first() : everything->zones.after(*zone);
}

PageCount zone_reclaim() {
    PageCount count(0);
    for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
        count = PageCount(count.value + zone->give_back_pages(false));
    }
    return count;
}
