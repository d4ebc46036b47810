// Lab 1: what the visible checks ask, by other values and in other orders.
#include "grader/runner/host_check.h"
#include "grader/runner/seed.h"
#include "unit/support.h"

TEST_GROUP(ZoneHidden) { CheckRandom random{1}; };

TEST(ZoneHidden, elements_of_every_size_are_apart) {
    constexpr size_t count = 120;
    for (int i = 0; i < 12; ++i) {
        const size_t size = 1 + random.below(2048), rounded = (size + 15) / 16 * 16;
        Zone& zone = must(zone_create({.name = "tested", .element_size = size}));
        UNSIGNED_LONGS_EQUAL(rounded, zone_stats(zone).element_size);
        unsigned char* elements[count];
        for (size_t n = 0; n < count; ++n) {
            elements[n] = static_cast<unsigned char*>(must(zalloc(zone, {.wait = false})));
            const auto address = reinterpret_cast<uint64_t>(elements[n]);
            UNSIGNED_LONGS_EQUAL(0, address % 16);
            UNSIGNED_LONGS_EQUAL_TEXT(address / page_size, (address + rounded - 1) / page_size, "an element reaches over the end of its page");
            __builtin_memset(elements[n], static_cast<int>(n), rounded);
        }
        for (size_t n = 0; n < count; ++n) {
            UNSIGNED_LONGS_EQUAL(n, elements[n][0]);
            UNSIGNED_LONGS_EQUAL(n, elements[n][rounded - 1]);
        }
        // Every other one goes, and comes back zeroed.
        for (size_t n = 0; n < count; n += 2) {
            zfree(zone, elements[n]);
        }
        for (size_t n = 0; n < count; n += 2) {
            elements[n] = static_cast<unsigned char*>(must(zalloc(zone, {.wait = false, .zero = true})));
            UNSIGNED_LONGS_EQUAL(0, elements[n][0]);
            UNSIGNED_LONGS_EQUAL(0, elements[n][rounded - 1]);
        }
        for (unsigned char* element : elements) {
            zfree(zone, element);
        }
        zone_destroy(zone);
    }
}

TEST(ZoneHidden, live_and_free_fill_the_pages) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 48 + random.below(200)}));
    void* first = must(zalloc(zone, {.wait = false}));
    const ZoneStats before = zone_stats(zone);
    UNSIGNED_LONGS_EQUAL(1, before.live);
    UNSIGNED_LONGS_EQUAL(1, before.pages);
    CHECK_TRUE(before.free >= 1);
    void* second = must(zalloc(zone, {.wait = false}));
    const ZoneStats after = zone_stats(zone);
    UNSIGNED_LONGS_EQUAL(2, after.live);
    UNSIGNED_LONGS_EQUAL_TEXT(before.free - 1, after.free, "free elements, one fewer");
    zfree(zone, first);
    zfree(zone, second);
    UNSIGNED_LONGS_EQUAL_TEXT(before.free + 1, zone_stats(zone).free, "all elements of the page are free");
    zone_destroy(zone);
}

TEST(ZoneHidden, zones_are_listed_in_the_order_of_their_making) {
    Zone* made[5];
    for (Zone*& zone : made) {
        zone = &must(zone_create({.name = "tested", .element_size = 16 + random.below(500)}));
    }
    zone_destroy(*made[2]);
    made[2] = &must(zone_create({.name = "made last", .element_size = 32}));
    Zone* const order[] = {made[0], made[1], made[3], made[4], made[2]};
    size_t found = 0;
    for (Zone* each = zone_next(nullptr); each != nullptr && found < 5; each = zone_next(each)) {
        found += each == order[found] ? 1 : 0;
    }
    UNSIGNED_LONGS_EQUAL_TEXT(5, found, "zones that were found in the order of their making");
}

TEST(ZoneHidden, what_lies_in_no_zone_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    zfree(zone, must(zalloc(zone, {.wait = false})));
    const PhysAddr page = must(pages::allocate_zeroed(PageUse::Anonymous));
    MUST_PANIC(zfree(zone, ram::at<char>(page) + 64 * (1 + random.below(60))));
}
