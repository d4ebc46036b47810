// Lab 1 on one core: each check is one sentence of zone.h.
#include "unit/support.h"

namespace {

constexpr size_t many = 300;

bool all_bytes_are(unsigned char value, const void* memory, size_t bytes) {
    auto* at = static_cast<const unsigned char*>(memory);
    for (size_t i = 0; i < bytes; ++i) {
        if (at[i] != value) {
            return false;
        }
    }
    return true;
}

// A zone with the elements that a check took from it. What is still there at the end is given back.
struct Tested {
    Zone* zone = nullptr;
    void* elements[many] = {};
    size_t taken = 0;

    void create(ZoneOptions options) {
        options.name = "tested";
        zone = &must(zone_create(options));
    }
    void take(size_t count, ZallocOptions options = {.wait = false}) {
        for (size_t i = 0; i < count; ++i) {
            elements[taken] = must(zalloc(*zone, options));
            ++taken;
        }
    }
    void give(size_t count) {
        for (size_t i = 0; i < count; ++i) {
            zfree(*zone, elements[--taken]);
        }
    }
    void destroy() {
        if (zone != nullptr) {
            give(taken);
            zone_destroy(*zone);
            zone = nullptr;
        }
    }
};

}  // namespace

TEST_GROUP(ZoneElements) {
    Tested t;
    void teardown() override { t.destroy(); }
};

TEST(ZoneElements, refuses_sizes_it_can_not_hold) {
    must_fail(Error::Invalid, zone_create({.name = "none", .element_size = 0}));
    must_fail(Error::Invalid, zone_create({.name = "large", .element_size = 2049}));
}

TEST(ZoneElements, are_aligned_and_do_not_overlap) {
    t.create({.element_size = 33});
    UNSIGNED_LONGS_EQUAL_TEXT(48, zone_stats(*t.zone).element_size, "33 rounded up to a multiple of 16");
    t.take(many);
    for (size_t i = 0; i < many; ++i) {
        UNSIGNED_LONGS_EQUAL_TEXT(0, reinterpret_cast<uint64_t>(t.elements[i]) % 16, "an element's address, modulo 16");
        __builtin_memset(t.elements[i], static_cast<int>(i), 48);
    }
    for (size_t i = 0; i < many; ++i) {
        CHECK_TRUE_TEXT(all_bytes_are(static_cast<unsigned char>(i), t.elements[i], 48), "another element was written into this one");
    }
}

TEST(ZoneElements, smallest_and_largest_fit) {
    for (size_t size : {size_t{1}, size_t{2048}}) {
        t.create({.element_size = size});
        t.take(many);
        for (size_t i = 0; i < many; ++i) {
            __builtin_memset(t.elements[i], static_cast<int>(i), size);
        }
        for (size_t i = 0; i < many; ++i) {
            CHECK_TRUE(all_bytes_are(static_cast<unsigned char>(i), t.elements[i], size));
        }
        t.destroy();
    }
}

TEST(ZoneElements, are_zeroed_on_request) {
    t.create({.element_size = 256});
    t.take(40);
    for (size_t i = 0; i < 40; ++i) {
        __builtin_memset(t.elements[i], 0xa5, 256);
    }
    t.give(40);
    t.take(40, {.wait = false, .zero = true});
    for (size_t i = 0; i < 40; ++i) {
        CHECK_TRUE_TEXT(all_bytes_are(0, t.elements[i], 256), "an element taken with `zero` is not zero");
    }
}

TEST(ZoneElements, are_cleared_when_freed_if_the_zone_asks) {
    t.create({.element_size = 96, .clear_on_free = true});
    t.take(1);
    void* element = t.elements[0];
    __builtin_memset(element, 0x5a, 96);
    t.give(1);
    CHECK_TRUE_TEXT(all_bytes_are(0, element, 96), "the freed element still holds what was in it");
}

TEST_GROUP(ZoneLimit) {
    Tested t;
    void teardown() override { t.destroy(); }
};

TEST(ZoneLimit, is_kept_exactly) {
    t.create({.element_size = 64, .limit = 5});
    t.take(5);
    must_fail(Error::TryAgain, zalloc(*t.zone, {.wait = false}));
    t.give(1);
    t.take(1);
    must_fail(Error::TryAgain, zalloc(*t.zone, {.wait = false}));
    UNSIGNED_LONGS_EQUAL(5, zone_stats(*t.zone).live);
}

TEST(ZoneLimit, counts_live_elements_only) {
    t.create({.element_size = 64, .limit = 3});
    for (int i = 0; i < 10; ++i) {
        failpoint::arm(static_cast<uint64_t>(i % 2));
        Result<void*> element = zalloc(*t.zone, {.wait = false});
        failpoint::disarm();
        if (element.ok()) {
            zfree(*t.zone, element.value());
        }
    }
    UNSIGNED_LONGS_EQUAL_TEXT(0, zone_stats(*t.zone).live, "failed allocations are not live");
    t.take(3);
    must_fail(Error::TryAgain, zalloc(*t.zone, {.wait = false}));
}

TEST_GROUP(ZoneCounts) {
    Tested t;
    void teardown() override { t.destroy(); }
};

TEST(ZoneCounts, tell_live_peak_and_free) {
    t.create({.element_size = 128});
    t.take(many);
    t.give(many);
    t.take(2);
    const ZoneStats stats = zone_stats(*t.zone);
    UNSIGNED_LONGS_EQUAL_TEXT(2, stats.live, "live");
    UNSIGNED_LONGS_EQUAL_TEXT(many, stats.peak, "peak");
    UNSIGNED_LONGS_EQUAL_TEXT(many + 2, stats.allocations, "allocations ever");
    CHECK_TRUE_TEXT(stats.free >= many - 2, "free elements lie in the pages that the zone holds");
    CHECK_TRUE_TEXT(stats.pages >= many * 128 / page_size, "pages held");
}

TEST(ZoneCounts, tell_what_the_caches_saved) {
    t.create({.element_size = 64});
    for (int i = 0; i < 50; ++i) {
        t.take(20);
        t.give(20);
    }
    const ZoneStats stats = zone_stats(*t.zone);
    UNSIGNED_LONGS_EQUAL_TEXT(1000, stats.allocations, "allocations ever");
    CHECK_TRUE_TEXT(stats.cache_hits < stats.allocations, "the first allocation finds nothing in a cache");
    CHECK_TRUE_TEXT(stats.lock_acquisitions >= stats.allocations - stats.cache_hits, "an allocation is a hit, or it took the lock");
}

TEST(ZoneCounts, list_every_zone_once) {
    t.create({.element_size = 64});
    size_t found = 0;
    for (Zone* each = zone_next(nullptr); each != nullptr; each = zone_next(each)) {
        found += each == t.zone ? 1 : 0;
    }
    UNSIGNED_LONGS_EQUAL(1, found);
    Zone* gone = t.zone;
    t.destroy();
    for (Zone* each = zone_next(nullptr); each != nullptr; each = zone_next(each)) {
        CHECK_TRUE_TEXT(each != gone, "a destroyed zone is still listed");
    }
}

TEST_GROUP(ZonePages) {
    Tested t;
    void teardown() override { t.destroy(); }
};

TEST(ZonePages, come_back_when_wholly_free) {
    t.create({.element_size = 512});
    t.take(many);
    const size_t held = zone_stats(*t.zone).pages;
    t.give(many);
    CHECK_TRUE_TEXT(zone_reclaim().value >= held - 1, "pages given back");
    CHECK_TRUE_TEXT(zone_stats(*t.zone).pages <= 1, "pages still held");
}

TEST(ZonePages, are_not_given_back_while_an_element_lives) {
    t.create({.element_size = 512});
    t.take(1);
    __builtin_memset(t.elements[0], 0x3c, 512);
    zone_reclaim();
    CHECK_TRUE(zone_stats(*t.zone).pages >= 1);
    CHECK_TRUE(pages::use_of(ram::phys_of(t.elements[0])) == PageUse::Zone);
    CHECK_TRUE(all_bytes_are(0x3c, t.elements[0], 512));
}

TEST(ZonePages, all_come_back_with_the_zone) {
    zone_reclaim();
    const size_t before = pages::stats().by_use[static_cast<size_t>(PageUse::Zone)].value;
    t.create({.element_size = 700});
    t.take(many);
    t.destroy();
    zone_reclaim();
    UNSIGNED_LONGS_EQUAL_TEXT(before, pages::stats().by_use[static_cast<size_t>(PageUse::Zone)].value, "pages that zones hold");
}

TEST_GROUP(ZoneFailure) {
    Tested t;
    void teardown() override { t.destroy(); }
};

TEST(ZoneFailure, leaves_everything_as_it_was) {
    t.create({.element_size = 64, .limit = 4});
    const uint64_t steps = sweep_failures([&] { return zalloc(*t.zone, {.wait = false}); },
                                          [&](Result<void*>& element) { zfree(*t.zone, element.value()); });
    CHECK_TRUE_TEXT(steps >= 2, "two steps can fail: the element, and the page that it needs");
}
