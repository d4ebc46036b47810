// Lab 1 on the host's machine: misuse, and four cores at once.
#include "grader/runner/host_check.h"
#include "unit/support.h"

TEST_GROUP(ZoneMisuse) {};

TEST(ZoneMisuse, double_free_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    void* first = must(zalloc(zone));
    void* second = must(zalloc(zone));
    zfree(zone, first);
    zfree(zone, second);
    MUST_PANIC(zfree(zone, first));
}

TEST(ZoneMisuse, free_into_the_wrong_zone_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    Zone& other = must(zone_create({.name = "other", .element_size = 64}));
    void* element = must(zalloc(zone));
    void* fellow = must(zalloc(other));
    zfree(other, fellow);
    MUST_PANIC(zfree(other, element));
}

TEST(ZoneMisuse, free_of_a_pointer_into_an_element_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    char* element = static_cast<char*>(must(zalloc(zone)));
    MUST_PANIC(zfree(zone, element + 16));
}

TEST(ZoneMisuse, destroying_a_zone_with_a_live_element_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    must(zalloc(zone));
    MUST_PANIC(zone_destroy(zone));
}

TEST_GROUP(ZoneCores) {};

TEST(ZoneCores, never_give_an_element_twice) {
    constexpr size_t held = 24;     // more than a cache of a core's would hold
    Zone& zone = must(zone_create({.name = "tested", .element_size = 32}));
    std::atomic<unsigned> twice{0};
    on_all_cores([&](unsigned core, Stumbling& stumbling) {
        uint64_t* mine[held] = {};
        for (size_t round = 0; stumbling.another_round(); ++round) {
            uint64_t*& slot = mine[round * 7 % held];
            if (slot != nullptr) {
                twice += *slot != core + 1;     // another core wrote its name into our element
                zfree(zone, slot);
            }
            slot = static_cast<uint64_t*>(zalloc(zone, {.wait = false}).value());
            *slot = core + 1;
        }
        for (uint64_t* element : mine) {
            if (element != nullptr) {
                twice += *element != core + 1;
                zfree(zone, element);
            }
        }
    });
    UNSIGNED_LONGS_EQUAL_TEXT(0, twice.load(), "elements that two cores had at once");
    UNSIGNED_LONGS_EQUAL_TEXT(0, zone_stats(zone).live, "live elements in the end");
    zone_destroy(zone);
}
