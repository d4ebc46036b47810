// Lab 1 in every order of a few cores (docs/testing.md): who waits, who is the last, whose an element is; and what a pair costs.
#include <atomic>
#include <cstdio>

#include "CppUTest/TestHarness.h"

#include "explorer/engine/engine.h"
#include "explorer/explorer.h"
#include "explorer/machine/machine.h"
#include "mm/zone.h"
#include "unit/error_name.h"

namespace {

Zone& make(size_t limit) {
    Result<Zone&> made = zone_create({.name = "tested", .element_size = 64, .limit = limit});
    CHECK_TRUE_TEXT(made.ok(), "zone_create gave no zone");
    return made.value();
}

void* take(Zone& zone, bool wait = false) {
    Result<void*> element = zalloc(zone, {.wait = wait});
    if (!element.ok()) {
        explorer::fail("zalloc gave %s where an element was due", name_of(element.error()));
    }
    return element.value();
}

// Has an element for a moment, alone.
void use(Zone& zone, bool wait) {
    auto* element = static_cast<volatile int*>(take(zone, wait));
    const int me = static_cast<int>(explorer::self().id);
    *element = me;
    explorer::point("use the element");
    EXPECT_EQUAL(me, *element);
    zfree(zone, const_cast<int*>(element));
}

void expect_all_free(Zone& zone) {
    EXPECT_EQUAL(0, zone_stats(zone).live);
    zfree(zone, take(zone));        // and one can be had
}

}  // namespace

TEST_GROUP(ZoneWaits) {};

TEST(ZoneWaits, who_waits_gets_what_is_given_back) {
    Zone& zone = make(1);
    explore({.most = 4'000, .relaxed = true}, [&] {
        void* only = take(zone);
        explorer::thread("waits", [&] { use(zone, true); });
        explorer::thread("gives back", [&] { zfree(zone, only); });
        explorer::run();
        EXPECT(host::sleeps() <= 1);
        expect_all_free(zone);
    });
}

TEST(ZoneWaits, each_of_two_who_wait_gets_one) {
    Zone& zone = make(1);
    explore({.most = 4'000}, [&] {
        void* only = take(zone);
        explorer::thread("first", [&] { use(zone, true); });
        explorer::thread("second", [&] { use(zone, true); });
        explorer::thread("gives back", [&] { zfree(zone, only); });
        explorer::run();
        EXPECT(host::sleeps() <= 2);        // nobody is woken for nothing
        expect_all_free(zone);
    });
}

TEST(ZoneWaits, who_comes_later_does_not_go_first) {
    Zone& zone = make(1);
    explore({.most = 4'000}, [&] {
        void* only = take(zone);
        std::atomic<bool> had{false};       // relaxed: the check itself puts nothing into an order
        explorer::thread("waits", [&] {
            void* element = take(zone, true);
            had.store(true, std::memory_order_relaxed);
            zfree(zone, element);
        });
        explorer::thread("gives back", [&] { zfree(zone, only); });
        explorer::thread("comes later", [&] {
            const bool somebody_waits = host::sleeps() == 1 && !had.load(std::memory_order_relaxed);
            Result<void*> element = zalloc(zone, {.wait = false});
            if (element.ok()) {
                EXPECT(had.load(std::memory_order_relaxed) || !somebody_waits);
                zfree(zone, element.value());
            }
        });
        explorer::run();
        expect_all_free(zone);
    });
}

TEST_GROUP(ZoneCores) {};

TEST(ZoneCores, the_last_element_goes_to_one) {
    Zone& zone = make(2);
    explore({.most = 4'000, .relaxed = true}, [&] {
        void* first = take(zone);
        void* got[2] = {};
        auto try_one = [&](int i) {
            Result<void*> element = zalloc(zone, {.wait = false});
            EXPECT(element.ok() || element.error() == Error::TryAgain);
            got[i] = element.ok() ? element.value() : nullptr;
        };
        explorer::thread("first", [&] { try_one(0); });
        explorer::thread("second", [&] { try_one(1); });
        explorer::run();
        EXPECT((got[0] != nullptr) != (got[1] != nullptr));
        EXPECT_EQUAL(2, zone_stats(zone).live);
        zfree(zone, first);
        zfree(zone, got[0] != nullptr ? got[0] : got[1]);
        expect_all_free(zone);
    });
}

// More than a core's cache holds, so that elements go through the pages too.
TEST(ZoneCores, exchange_what_they_took) {
    Zone& zone = make(0);
    explore({.preemptions = 1, .most = 1'200}, [&] {
        constexpr size_t count = 40;
        int* elements[2][count] = {};
        auto fill = [&](int who) {
            for (int*& element : elements[who]) {
                element = static_cast<int*>(take(zone));
                *element = who;
            }
        };
        explorer::thread("first", [&] { fill(0); });
        explorer::thread("second", [&] { fill(1); });
        explorer::run();
        auto empty = [&](int whose) {
            for (int* element : elements[whose]) {
                EXPECT_EQUAL(whose, *element);
                zfree(zone, element);
            }
        };
        explorer::thread("first", [&] { empty(1); });
        explorer::thread("second", [&] { empty(0); });
        explorer::run();
        expect_all_free(zone);
    });
}

TEST(ZoneCores, keep_their_elements_while_pages_are_given_back) {
    Zone& zone = make(0);
    explore({.most = 1'500}, [&] {
        explorer::thread("first", [&] { use(zone, false); });
        explorer::thread("second", [&] { use(zone, false); });
        explorer::thread("reclaims", [&] { zone_reclaim(); });
        explorer::run();
        expect_all_free(zone);
    });
}

TEST_GROUP(ZoneCost) {};

TEST(ZoneCost, the_usual_pair_takes_no_lock) {
    constexpr uint64_t pairs = 200, locks_allowed = pairs / 20;
    Zone& zone = make(0);
    uint64_t locks = 0;
    explore({.preemptions = 0, .most = 1}, [&] {
        explorer::thread("core", [&] {
            for (uint64_t i = 0; i < pairs / 10; ++i) {     // until its cache has something
                zfree(zone, take(zone));
            }
            const uint64_t before = explorer::work().locks;
            for (uint64_t i = 0; i < pairs; ++i) {
                zfree(zone, take(zone));
            }
            locks = explorer::work().locks - before;
        });
        explorer::run();
    });
    char text[100];
    snprintf(text, sizeof text, "%llu pairs of zalloc and zfree took a lock %llu times", static_cast<unsigned long long>(pairs),
             static_cast<unsigned long long>(locks));
    CHECK_TRUE_TEXT(locks <= locks_allowed, text);
}
