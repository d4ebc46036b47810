// The explorer itself: it finds what is wrong, says what it was, and its schedule shows it again.
#include "schedules/support.h"

#include <atomic>

#include "machine/park.h"

TEST_GROUP(Explorer) {
    // The case fails with `words` in the message, and again when its schedule is replayed.
    static explorer::Result must_find(const char* words, const explorer::Options& options, const std::function<void()>& body) {
        explorer::Result found = explorer::search(options, body);
        CHECK_TRUE_TEXT(found.failed, "nothing was found");
        STRCMP_CONTAINS(words, found.message.c_str());
        explorer::settings.replay = found.schedule;
        const explorer::Result again = explorer::search(options, body);
        explorer::settings.replay.clear();
        CHECK_TRUE_TEXT(again.failed, "the schedule does not fail again");
        STRCMP_CONTAINS(words, again.message.c_str());
        return found;
    }
};

TEST(Explorer, it_finds_an_update_that_is_lost_between_two_atomic_operations) {
    const explorer::Result found = must_find("count.load() is 1 and not 2", {}, [] {
        std::atomic<int> count{0};
        auto add = [&] { count.store(count.load() + 1); };
        explorer::thread("a", add);
        explorer::thread("b", add);
        explorer::run();
        EXPECT_EQUAL(2, count.load());
    });
    CHECK_TRUE(found.schedules <= 10);
}

TEST(Explorer, it_needs_as_many_preemptions_as_the_mistake_does) {
    // b must run behind the first step of a, and not go on before the last.
    auto body = [] {
        std::atomic<int> step{0};
        bool bad = false;
        explorer::thread("a", [&] {
            step.store(1);
            step.store(2);
            step.store(3);
        });
        explorer::thread("b", [&] {
            const int first = step.load();
            const int second = step.load();
            bad = first == 1 && second == 3;
        });
        explorer::run();
        EXPECT(!bad);
    };
    CHECK_FALSE(explorer::search({.preemptions = 1}, body).failed);
    CHECK_TRUE(explorer::search({.preemptions = 2}, body).failed);
}

TEST(Explorer, it_finds_a_race_between_plain_accesses) {
    must_find("data race", {}, [] {
        int plain = 0;
        explorer::thread("a", [&] { plain = 1; });
        explorer::thread("b", [&] { plain = 2; });
        explorer::run();
    });
}

TEST(Explorer, it_finds_a_deadlock_and_says_who_sleeps) {
    must_find("deadlock", {}, [] {
        SpinLock lock(LockRank::FileWait, "condition");
        Channel channel;
        std::atomic<bool> ready{false};
        explorer::thread("sleeper", [&] {
            if (!ready) {               // looked at without the lock: the wake may come before the sleep
                SpinGuard guard(lock);
                park(channel, lock);
            }
        });
        explorer::thread("waker", [&] {
            SpinGuard guard(lock);
            ready = true;
            wake_one(channel);
        });
        explorer::run();
    });
}

TEST(Explorer, it_finds_that_nobody_gets_on) {
    must_find("no progress", {}, [] {
        explorer::thread("waits for what never comes", [] {
            for (;;) {
                explorer::yield("wait");
            }
        });
        explorer::run();
    });
}

TEST(Explorer, it_finds_a_computation_without_end) {
    must_find("no progress", {}, [] {
        int sum = 0;
        explorer::thread("computes", [&] {
            for (;;) {
                *const_cast<volatile int*>(&sum) = sum + 1 == 1000 ? 0 : sum + 1;
            }
        });
        explorer::run();
    });
}

TEST(Explorer, it_reports_a_panic) {
    must_find("panic: all is lost", {}, [] {
        explorer::thread("panics", [] { panic("all is lost"); });
        explorer::run();
    });
}

TEST(Explorer, it_finds_a_lock_that_is_kept) {
    must_find("\"kept\"", {}, [] {
        SpinLock lock(LockRank::FileWait, "kept");
        explorer::thread("keeps", [&] { lock.acquire(); });
        explorer::run();
    });
}

TEST(Explorer, chance_finds_what_the_search_has_no_time_for) {
    must_find("not so: !bad", {.preemptions = 0, .random = 2'000}, [] {
        std::atomic<int> step{0};
        bool bad = false;
        explorer::thread("a", [&] {
            for (int i = 1; i < 30; ++i) {
                step.store(i);
            }
        });
        explorer::thread("b", [&] { bad = step.load() == 17; });
        explorer::run();
        EXPECT(!bad);
    });
}

TEST(Explorer, it_counts_the_locks_that_are_taken) {
    explore({.preemptions = 0, .most = 1}, [] {
        SpinLock lock{LockRank::Zone, "counted"};
        std::atomic<uint32_t> number{0};
        explorer::thread("a", [&] {
            const uint64_t before = explorer::work().locks;
            for (int i = 0; i < 3; ++i) {
                SpinGuard guard(lock);
                number.fetch_add(1, std::memory_order_acq_rel);     // is none
            }
            EXPECT_EQUAL(3, explorer::work().locks - before);
        });
        explorer::run();
    });
}
