// Zones and page frames: each element and each page has one owner; who waits gets what is given back, and is woken for that
// alone. The handshakes of a zone take no lock, so its relaxed atomic operations are scheduling points too.
#include "schedules/support.h"

#include "explorer/machine/machine.h"
#include "mm/page.h"
#include "mm/zone.h"

TEST_GROUP(Zones) {
    static Zone& make(size_t limit, size_t element_size = 64) {
        return zone_create({.name = "tested", .element_size = element_size, .limit = limit}).value();
    }
    // Has an element for a moment, alone.
    static void use(Zone& zone) {
        auto* element = static_cast<volatile int*>(zalloc(zone, {.wait = true}).value());
        const int me = static_cast<int>(explorer::self().id);
        *element = me;
        explorer::point("use the element");
        EXPECT_EQUAL(me, *element);
        zfree(zone, const_cast<int*>(element));
    }
};

TEST(Zones, who_waits_gets_the_element_that_is_given_back_and_sleeps_once) {
    Zone& zone = make(1);
    explore({.relaxed = true}, [&] {
        void* only = zalloc(zone).value();
        explorer::thread("waits", [&] { use(zone); });
        explorer::thread("gives back", [&] { zfree(zone, only); });
        explorer::run();
        EXPECT(host::sleeps() <= 1);
        EXPECT_EQUAL(0, zone_stats(zone).live);
    });
}

TEST(Zones, of_two_who_wait_each_gets_one_and_sleeps_once) {
    Zone& zone = make(1);
    explore({}, [&] {
        void* only = zalloc(zone).value();
        explorer::thread("first", [&] { use(zone); });
        explorer::thread("second", [&] { use(zone); });
        explorer::thread("gives back", [&] { zfree(zone, only); });
        explorer::run();
        EXPECT(host::sleeps() <= 2);
        EXPECT_EQUAL(0, zone_stats(zone).live);
    });
}

TEST(Zones, at_the_limit_who_does_not_wait_is_told_and_leaves_no_trace) {
    Zone& zone = make(2);
    explore({.relaxed = true}, [&] {
        void* kept = zalloc(zone).value();
        int got = 0;
        auto try_one = [&] {
            Result<void*> element = zalloc(zone, {.wait = false});
            if (element.ok()) {
                ++got;
                zfree(zone, element.value());
            } else {
                EXPECT(element.error() == Error::TryAgain);
            }
        };
        explorer::thread("first", try_one);
        explorer::thread("second", try_one);
        explorer::run();
        EXPECT(got >= 1);
        EXPECT_EQUAL(1, zone_stats(zone).live);
        zfree(zone, kept);
    });
}

TEST(Zones, the_peak_is_as_many_as_there_were_at_once) {
    Zone& zone = make(0, 1024);     // few in a page: few steps to make one
    explore({.preemptions = 1, .relaxed = true}, [&] {
        void* elements[2] = {};
        explorer::thread("first", [&] { elements[0] = zalloc(zone).value(); });
        explorer::thread("second", [&] { elements[1] = zalloc(zone).value(); });
        explorer::run();
        EXPECT_EQUAL(2, zone_stats(zone).peak);
        for (void* element : elements) {
            zfree(zone, element);
        }
        EXPECT_EQUAL(2, zone_stats(zone).peak);
    });
}

TEST(Zones, reclaiming_takes_no_element_from_anybody) {
    Zone& zone = make(0);
    explore({.most = 6'000}, [&] {
        explorer::thread("first", [&] { use(zone); });
        explorer::thread("second", [&] { use(zone); });
        explorer::thread("reclaims", [&] { zone_reclaim(); });
        explorer::run();
        EXPECT_EQUAL(0, zone_stats(zone).live);
    });
}

TEST(Zones, magazines_that_run_full_and_empty_lose_nothing) {
    Zone& zone = make(0);
    explore({.most = 3'000, .random = 500, .races = true}, [&] {
        constexpr size_t count = 24;        // more than a magazine
        void* elements[2][count] = {};
        auto fill = [&](int who) {
            for (void*& element : elements[who]) {
                element = zalloc(zone).value();
            }
        };
        explorer::thread("first", [&] { fill(0); });
        explorer::thread("second", [&] { fill(1); });
        explorer::run();
        // Each gives back what the other took.
        auto empty = [&](int whose) {
            for (void* element : elements[whose]) {
                zfree(zone, element);
            }
        };
        explorer::thread("first", [&] { empty(1); });
        explorer::thread("second", [&] { empty(0); });
        explorer::run();
        EXPECT_EQUAL(0, zone_stats(zone).live);
    });
}

TEST_GROUP(Pages) {};

TEST(Pages, the_last_reference_frees_the_page_and_only_that) {
    explore({.relaxed = true}, [] {
        const size_t before = pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value;
        PhysAddr page = pages::allocate(PageUse::Anonymous).value();
        pages::share(page);
        explorer::thread("first", [&] { pages::release(page); });
        explorer::thread("second", [&] { pages::release(page); });
        explorer::run();
        EXPECT_EQUAL(0, pages::references(page));
        EXPECT_EQUAL(before, pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value);
    });
}
