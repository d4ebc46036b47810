// Lab 1 in every order of four threads.
#include <atomic>

#include "CppUTest/TestHarness.h"

#include "explorer/explorer.h"
#include "explorer/machine/machine.h"
#include "mm/zone.h"

TEST_GROUP(ZoneHidden) {};

TEST(ZoneHidden, three_who_wait_for_two_elements_get_them) {
    Result<Zone&> made = zone_create({.name = "tested", .element_size = 200, .limit = 2});
    CHECK_TRUE(made.ok());
    Zone& zone = made.value();
    explore({.preemptions = 1, .most = 3'000}, [&] {
        void* held[2];
        for (void*& element : held) {
            element = zalloc(zone, {.wait = false}).value();
        }
        std::atomic<int> had{0};
        auto wait = [&] {
            Result<void*> element = zalloc(zone, {.wait = true});
            EXPECT(element.ok());
            EXPECT(zone_stats(zone).live <= 2);
            zfree(zone, element.value());
            had.fetch_add(1, std::memory_order_relaxed);
        };
        explorer::thread("first", wait);
        explorer::thread("second", wait);
        explorer::thread("third", wait);
        explorer::thread("gives both back", [&] {
            zfree(zone, held[0]);
            zfree(zone, held[1]);
        });
        explorer::run();
        EXPECT_EQUAL(3, had.load());
        EXPECT(host::sleeps() <= 3);
        EXPECT_EQUAL(0, zone_stats(zone).live);
        EXPECT_EQUAL(2, zone_stats(zone).peak);
    });
}
