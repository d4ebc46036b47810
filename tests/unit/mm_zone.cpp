// Zones: limits, clearing, growth and return, counts.
#include "unit/support.h"

namespace {

constexpr size_t many = 300;

bool all_zero(const void* memory, size_t bytes) {
    auto* at = static_cast<const unsigned char*>(memory);
    for (size_t i = 0; i < bytes; ++i) {
        if (at[i] != 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

TEST_GROUP(Zone) {
    Ledger* ledger = nullptr;
    alignas(Ledger) unsigned char ledger_memory[sizeof(Ledger)];
    Zone* zone = nullptr;
    void* elements[many] = {};

    void setup() override { ledger = new (ledger_memory) Ledger; }
    void teardown() override {
        if (zone != nullptr) {
            zone_destroy(*zone);
        }
        ledger->check();
    }
    void create(ZoneOptions options) {
        options.name = "tested";
        zone = &must(zone_create(options));
    }
    void take(size_t count, ZallocOptions options = {.wait = false}) {
        for (size_t i = 0; i < count; ++i) {
            elements[i] = must(zalloc(*zone, options));
        }
    }
    void give(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            zfree(*zone, elements[i]);
        }
    }
};

TEST(Zone, refuses_sizes_it_can_not_hold) {
    must_fail(Error::Invalid, zone_create({.name = "none", .element_size = 0}));
    must_fail(Error::Invalid, zone_create({.name = "large", .element_size = 2049}));
}

TEST(Zone, gives_aligned_elements_that_do_not_overlap) {
    create({.element_size = 33});
    UNSIGNED_LONGS_EQUAL(48, zone_stats(*zone).element_size);
    take(many);
    for (size_t i = 0; i < many; ++i) {
        UNSIGNED_LONGS_EQUAL(0, reinterpret_cast<uint64_t>(elements[i]) % 16);
        __builtin_memset(elements[i], static_cast<int>(i), 48);
    }
    for (size_t i = 0; i < many; ++i) {
        auto* bytes = static_cast<unsigned char*>(elements[i]);
        CHECK_TRUE(bytes[0] == static_cast<unsigned char>(i) && bytes[47] == static_cast<unsigned char>(i));
    }
    give(many);
}

TEST(Zone, holds_the_smallest_and_the_largest_elements) {
    for (size_t size : {size_t{1}, size_t{2048}}) {
        Zone& other = must(zone_create({.name = "extreme", .element_size = size}));
        void* a = must(zalloc(other));
        void* b = must(zalloc(other));
        __builtin_memset(a, 1, size);
        __builtin_memset(b, 2, size);
        LONGS_EQUAL(1, *static_cast<char*>(a));
        zfree(other, a);
        zfree(other, b);
        zone_destroy(other);
    }
}

TEST(Zone, keeps_its_limit_exactly) {
    create({.element_size = 64, .limit = 5});
    take(5);
    must_fail(Error::TryAgain, zalloc(*zone, {.wait = false}));
    zfree(*zone, elements[4]);
    elements[4] = must(zalloc(*zone, {.wait = false}));
    must_fail(Error::TryAgain, zalloc(*zone, {.wait = false}));
    UNSIGNED_LONGS_EQUAL(5, zone_stats(*zone).live);
    give(5);
}

TEST(Zone, zeroes_on_request) {
    create({.element_size = 256});
    take(3);
    for (size_t i = 0; i < 3; ++i) {
        __builtin_memset(elements[i], 0xa5, 256);
    }
    give(3);
    take(3, {.wait = false, .zero = true});
    for (size_t i = 0; i < 3; ++i) {
        CHECK_TRUE(all_zero(elements[i], 256));
    }
    give(3);
}

TEST(Zone, clears_what_is_freed_at_once) {
    create({.element_size = 96, .clear_on_free = true});
    take(1);
    __builtin_memset(elements[0], 0x5a, 96);
    give(1);
    CHECK_TRUE(all_zero(elements[0], 96));
    take(1, {.wait = false, .zero = true});
    CHECK_TRUE(all_zero(elements[0], 96));
    give(1);
}

TEST(Zone, counts_live_peak_and_free_elements) {
    create({.element_size = 128});
    take(many);
    give(many);
    take(2);
    ZoneStats stats = zone_stats(*zone);
    UNSIGNED_LONGS_EQUAL(2, stats.live);
    UNSIGNED_LONGS_EQUAL(many, stats.peak);
    UNSIGNED_LONGS_EQUAL(many + 2, stats.allocations);
    CHECK_TRUE(stats.free >= many - 2);
    CHECK_TRUE(stats.pages >= many * 128 / page_size);
    give(2);
}

TEST(Zone, serves_the_usual_allocation_from_the_cores_cache) {
    create({.element_size = 64});
    for (int i = 0; i < 100; ++i) {
        zfree(*zone, must(zalloc(*zone)));
    }
    CHECK_TRUE(zone_stats(*zone).cache_hits >= 90);
}

TEST(Zone, counts_how_often_its_lock_was_taken) {
    create({.element_size = 64});
    take(many);
    const uint64_t taken = zone_stats(*zone).lock_acquisitions;
    CHECK_TRUE(taken >= 1 && taken < many);     // elements come over the lock in batches
    UNSIGNED_LONGS_EQUAL(taken, zone_stats(*zone).lock_acquisitions);
    give(many);
    CHECK_TRUE(zone_stats(*zone).lock_acquisitions > taken);
    zfree(*zone, must(zalloc(*zone)));          // room and an element in the core's cache from here on
    const uint64_t before = zone_stats(*zone).lock_acquisitions;
    for (int i = 0; i < 100; ++i) {
        zfree(*zone, must(zalloc(*zone)));
    }
    UNSIGNED_LONGS_EQUAL(before, zone_stats(*zone).lock_acquisitions);
}

TEST(Zone, gives_wholly_free_pages_back) {
    create({.element_size = 512});
    take(many);
    size_t held = zone_stats(*zone).pages;
    give(many);
    zone_reclaim();
    CHECK_TRUE(zone_stats(*zone).pages < held);
}

TEST(Zone, is_listed_while_it_lives) {
    create({.element_size = 64});
    size_t found = 0;
    for (Zone* each = zone_next(nullptr); each != nullptr; each = zone_next(each)) {
        found += each == zone ? 1 : 0;
    }
    UNSIGNED_LONGS_EQUAL(1, found);
}

TEST(Zone, fails_without_taking_anything) {
    create({.element_size = 64});
    uint64_t steps = sweep_failures([&] { return zalloc(*zone, {.wait = false}); },
                                    [&](Result<void*>& element) { zfree(*zone, element.value()); });
    UNSIGNED_LONGS_EQUAL(2, steps);     // the element, the page for the first slab
}
