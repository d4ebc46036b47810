// Lab 1, of another make: the free elements of a page are a list of numbers in the page's header, and each core keeps a short
// list of the same kind. A place under the limit is handed from who frees to who waits: it is never free in between.
// Locks: Zone::lock_ for pages, places and waiters; `list_lock` for the list of zones.
#include "mm/zone.h"

#include <atomic>

#include "base/failpoint.h"
#include "base/format.h"
#include "base/list.h"
#include "machine/park.h"
#include "mm/page.h"

namespace {

constexpr size_t most_bytes = 2048, unit = 16;
constexpr uint16_t nothing = 0xffff;
constexpr unsigned cache_size = 12, cache_refill = 6;

constexpr size_t rounded(size_t bytes) { return (bytes + unit - 1) / unit * unit; }

enum class State : uint8_t { Free, Live };

// At the start of each page.
struct Head {
    Zone* zone;
    ListNode link;
    uint16_t first_free;
    uint16_t free_count;
};
// One for each element, behind the head.
struct Cell {
    std::atomic<State> state;
    uint16_t next_free;
};

constexpr size_t fit(size_t size) {
    size_t count = (page_size - sizeof(Head)) / (size + sizeof(Cell));
    while (rounded(sizeof(Head) + count * sizeof(Cell)) + count * size > page_size) {
        --count;
    }
    return count;
}

struct Cache {
    void* elements[cache_size];
    unsigned count = 0;
    std::atomic<uint64_t> taken{0}, taken_here{0};
};

struct Waiting {
    bool has_place = false;
    Channel channel;
    ListNode link;
};

void count_one(std::atomic<uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

class Zone {
public:
    explicit Zone(const ZoneOptions& options)
        : options_(options), size_(rounded(options.element_size)), per_page_(fit(size_)),
          start_(rounded(sizeof(Head) + per_page_ * sizeof(Cell))) {}

    Result<void*> take(ZallocOptions wanted) {
        TRY(get_place(wanted.wait));
        Result<void*> got = get_element();
        if (!got.ok()) {
            give_place();
            return got.error();
        }
        void* element = got.value();
        cell(element).state.store(State::Live, std::memory_order_relaxed);
        if (!options_.clear_on_free) {
            ram::unpoison(element, size_);
        }
        if (wanted.zero) {
            __builtin_memset(element, 0, size_);
        }
        return element;
    }

    void give(void* element) {
        check(element);
        if (cell(element).state.exchange(State::Free, std::memory_order_relaxed) == State::Free) {
            complain("is freed twice", element);
        }
        if (options_.clear_on_free) {
            __builtin_memset(element, 0, size_);
        } else {
            ram::poison(element, size_);
        }
        {
            InterruptGuard off;
            Cache& cache = caches_[cpu::current().id];
            if (cache.count == cache_size) {
                empty(cache, cache_refill);
            }
            cache.elements[cache.count++] = element;
        }
        give_place();
    }

    size_t give_pages_back() {
        {
            InterruptGuard off;
            empty(caches_[cpu::current().id], 0);
        }
        return free_pages();
    }

    void end() {
        for (Cache& cache : caches_) {
            empty(cache, 0);
        }
        if (live_.load() != 0) {
            complain("is ended with a live element", nullptr);
        }
        free_pages();
    }

    ZoneStats stats() {
        ZoneStats told;
        told.name = options_.name;
        told.element_size = size_;
        told.limit = options_.limit;
        told.live = live_.load();
        told.peak = peak_.load();
        for (const Cache& cache : caches_) {
            told.allocations += cache.taken.load(std::memory_order_relaxed);
            told.cache_hits += cache.taken_here.load(std::memory_order_relaxed);
        }
        SpinGuard guard(lock_);
        told.pages = page_count_;
        told.lock_acquisitions = locked_;
        told.free = page_count_ * per_page_ > told.live ? page_count_ * per_page_ - told.live : 0;
        return told;
    }

    ListNode in_list;

private:
    static Head& head_of(void* element) {
        return *reinterpret_cast<Head*>(reinterpret_cast<uint64_t>(element) / page_size * page_size);
    }
    static Cell* cells(Head& head) { return reinterpret_cast<Cell*>(&head + 1); }
    size_t offset_in_page(const void* element) const { return reinterpret_cast<uint64_t>(element) % page_size; }
    uint16_t number_of(const void* element) const { return static_cast<uint16_t>((offset_in_page(element) - start_) / size_); }
    Cell& cell(void* element) const { return cells(head_of(element))[number_of(element)]; }
    void* element_of(Head& head, uint16_t number) const { return reinterpret_cast<char*>(&head) + start_ + number * size_; }

    [[noreturn]] void complain(const char* what, const void* element) const {
        TextBuffer<160> text;
        text.add("zone {}: element {} {}", options_.name, element, what);
        panic(text.c_str());
    }

    void check(void* element) const {
        if (pages::use_of(ram::phys_of(element)) != PageUse::Zone) {
            complain("lies in no zone", element);
        }
        if (head_of(element).zone != this) {
            complain("is another zone's", element);
        }
        const size_t offset = offset_in_page(element);
        if (offset < start_ || (offset - start_) % size_ != 0 || number_of(element) >= per_page_) {
            complain("is none", element);
        }
    }

    // --- places ---

    void count_live() {
        const size_t now = live_.fetch_add(1) + 1;
        for (size_t peak = peak_.load(); peak < now && !peak_.compare_exchange_weak(peak, now);) {
        }
    }

    Result<> get_place(bool wait) {
        if (options_.limit == 0) {
            count_live();
            return {};
        }
        SpinGuard guard(lock_);
        ++locked_;
        if (live_.load() < options_.limit) {
            count_live();
            return {};
        }
        if (!wait) {
            return Error::TryAgain;
        }
        Waiting self;
        waiting_.push_back(self);
        while (!self.has_place) {
            park(self.channel, lock_);
        }
        return {};
    }

    // To who has waited longest, if anybody waits.
    void give_place() {
        if (options_.limit == 0) {
            live_.fetch_sub(1);
            return;
        }
        SpinGuard guard(lock_);
        ++locked_;
        if (Waiting* next = waiting_.pop_front()) {
            next->has_place = true;
            wake_one(next->channel);
        } else {
            live_.fetch_sub(1);
        }
    }

    // --- elements ---

    Result<void*> get_element() {
        for (;;) {
            {
                InterruptGuard off;
                Cache& cache = caches_[cpu::current().id];
                const bool had_one = cache.count != 0;
                if (had_one || fill(cache)) {
                    count_one(cache.taken);
                    if (had_one) {
                        count_one(cache.taken_here);
                    }
                    return cache.elements[--cache.count];
                }
            }
            TRY(add_page());
        }
    }

    // False if no page has any.
    bool fill(Cache& cache) {
        SpinGuard guard(lock_);
        ++locked_;
        while (cache.count < cache_refill) {
            Head* head = with_free_.first();
            if (head == nullptr) {
                break;
            }
            const uint16_t number = head->first_free;
            head->first_free = cells(*head)[number].next_free;
            if (--head->free_count == 0) {
                with_free_.remove(*head);
            }
            cache.elements[cache.count++] = element_of(*head, number);
        }
        return cache.count != 0;
    }

    void empty(Cache& cache, unsigned keep) {
        SpinGuard guard(lock_);
        ++locked_;
        while (cache.count > keep) {
            void* element = cache.elements[--cache.count];
            Head& head = head_of(element);
            const uint16_t number = number_of(element);
            cells(head)[number].next_free = head.first_free;
            head.first_free = number;
            if (head.free_count++ == 0) {
                with_free_.push_front(head);
            }
        }
    }

    Result<> add_page() {
        const PhysAddr page = TRY(pages::allocate_zeroed(PageUse::Zone));
        Head& head = *new (ram::at<void>(page)) Head{};
        head.zone = this;
        head.first_free = nothing;
        for (size_t n = per_page_; n-- > 0;) {
            cells(head)[n].next_free = head.first_free;
            head.first_free = static_cast<uint16_t>(n);
            if (!options_.clear_on_free) {
                ram::poison(element_of(head, static_cast<uint16_t>(n)), size_);
            }
        }
        head.free_count = static_cast<uint16_t>(per_page_);
        SpinGuard guard(lock_);
        ++locked_;
        with_free_.push_back(head);
        ++page_count_;
        return {};
    }

    size_t free_pages() {
        List<Head, &Head::link> gone;
        size_t count = 0;
        {
            SpinGuard guard(lock_);
            ++locked_;
            for (Head& head : with_free_) {
                if (head.free_count == per_page_) {
                    with_free_.remove(head);
                    gone.push_back(head);
                    --page_count_;
                    ++count;
                }
            }
        }
        while (Head* head = gone.pop_front()) {
            ram::unpoison(head, page_size);
            pages::release(ram::phys_of(head));
        }
        return count;
    }

    const ZoneOptions options_;
    const size_t size_, per_page_, start_;
    std::atomic<size_t> live_{0}, peak_{0};
    SpinLock lock_{LockRank::Zone, "zone"};
    List<Head, &Head::link> with_free_ GUARDED_BY(lock_);       // pages that have a free element
    List<Waiting, &Waiting::link> waiting_ GUARDED_BY(lock_);
    size_t page_count_ GUARDED_BY(lock_) = 0;
    uint64_t locked_ GUARDED_BY(lock_) = 0;
    Cache caches_[max_cores];
};

static_assert(sizeof(Zone) <= page_size);

namespace {

constinit SpinLock list_lock{LockRank::ZoneList, "zone list"};

List<Zone, &Zone::in_list>& all_zones() {
    alignas(8) static constinit unsigned char memory[sizeof(List<Zone, &Zone::in_list>)] = {};
    static constinit bool made = false;
    if (!made) {
        made = true;
        new (memory) List<Zone, &Zone::in_list>;
    }
    return *reinterpret_cast<List<Zone, &Zone::in_list>*>(memory);
}

}  // namespace

// Each zone has a page to itself: there are few, and no zone is needed to make one.
Result<Zone&> zone_create(const ZoneOptions& options) {
    if (options.element_size < 1 || options.element_size > most_bytes) {
        return Error::Invalid;
    }
    const PhysAddr page = TRY(pages::allocate(PageUse::Zone));
    Zone& zone = *new (ram::at<void>(page)) Zone(options);
    SpinGuard guard(list_lock);
    all_zones().push_back(zone);
    return zone;
}

void zone_destroy(Zone& zone) {
    zone.end();
    {
        SpinGuard guard(list_lock);
        all_zones().remove(zone);
    }
    zone.~Zone();
    pages::release(ram::phys_of(&zone));
}

Result<void*> zalloc(Zone& zone, ZallocOptions options) {
    if (failpoint::should_fail()) {
        return Error::NoMemory;
    }
    return zone.take(options);
}

void zfree(Zone& zone, void* element) { zone.give(element); }
ZoneStats zone_stats(Zone& zone) { return zone.stats(); }

Zone* zone_next(Zone* zone) {
    SpinGuard guard(list_lock);
    return zone == nullptr ? all_zones().first() : all_zones().after(*zone);
}

PageCount zone_reclaim() {
    size_t count = 0;
    for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
        count += zone->give_pages_back();
    }
    return PageCount(count);
}
