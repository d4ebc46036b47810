// Four cores on one zone and on the page frames: nothing is lost, nothing is handed out twice.
#include <array>

#include "CppUTest/TestHarness.h"

#include "mm/page.h"
#include "mm/zone.h"
#include "machine/ram.h"
#include "stress/four_cores.h"

namespace {

constexpr int rounds = 2000;
constexpr size_t batch = 8;

// Nobody else has any while the tests run; free pages come and go with the threads' stacks.
size_t file_pages() { return pages::stats().by_use[static_cast<size_t>(PageUse::File)].value; }

}  // namespace

TEST_GROUP(FourCores) {};

TEST(FourCores, an_element_belongs_to_one_core_at_a_time) {
    Zone& zone = zone_create({.name = "stressed", .element_size = 64}).value();
    std::array<int, four_cores> mistakes{};
    on_four_cores([&](int worker) {
        for (int round = 0; round < rounds; ++round) {
            std::array<void*, batch> elements{};
            for (void*& element : elements) {
                element = zalloc(zone, {.wait = false}).value();
                *static_cast<volatile int*>(element) = worker;
            }
            for (void* element : elements) {
                mistakes[static_cast<size_t>(worker)] += *static_cast<volatile int*>(element) != worker;
                zfree(zone, element);
            }
        }
    });
    for (int count : mistakes) {
        LONGS_EQUAL(0, count);
    }
    UNSIGNED_LONGS_EQUAL(0, zone_stats(zone).live);
    zone_destroy(zone);
}

TEST(FourCores, a_waiter_gets_the_element_that_another_core_frees) {
    Zone& zone = zone_create({.name = "scarce", .element_size = 32, .limit = 2}).value();
    on_four_cores([&](int) {
        for (int round = 0; round < 200; ++round) {
            zfree(zone, zalloc(zone, {.wait = true}).value());
        }
    });
    UNSIGNED_LONGS_EQUAL(0, zone_stats(zone).live);
    zone_destroy(zone);
}

TEST(FourCores, a_page_belongs_to_one_core_at_a_time) {
    pages::flush_cache();
    const size_t before = file_pages();
    std::array<int, four_cores> mistakes{};
    on_four_cores([&](int worker) {
        for (int round = 0; round < rounds; ++round) {
            PhysAddr page = pages::allocate(PageUse::File).value();
            auto* word = ram::at<volatile int>(page);
            *word = worker;
            mistakes[static_cast<size_t>(worker)] += *word != worker;
            pages::release(page);
        }
        pages::flush_cache();
    });
    for (int count : mistakes) {
        LONGS_EQUAL(0, count);
    }
    UNSIGNED_LONGS_EQUAL(before, file_pages());
}
