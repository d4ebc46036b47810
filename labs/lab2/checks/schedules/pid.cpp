// Lab 2 in every order of two cores (docs/testing.md): what one tests and takes, the other does not take too; ids that
// never repeat; and what a number costs.
#include <algorithm>
#include <cstdio>
#include <string>

#include "CppUTest/TestHarness.h"

#include "explorer/explorer.h"
#include "kernel/proc/pid.h"
#include "unit/error_name.h"

namespace {

// The number, or the error below 0.
int32_t ask() {
    Result<Pid> pid = pid_allocate();
    return pid.ok() ? number(pid.value()) : -static_cast<int32_t>(pid.error());
}
constexpr int32_t refused = -static_cast<int32_t>(Error::TryAgain);

// What ask() gave, for people.
std::string shown(int32_t got) { return got >= 0 ? std::to_string(got) : name_of(static_cast<Error>(-got)); }

// All numbers below `maximum` are taken, but the last `left`.
void fill(int32_t maximum, int32_t left) {
    const Result<> made = pid_init(maximum);
    STRCMP_EQUAL_TEXT("success", made.ok() ? "success" : name_of(made.error()), "pid_init");
    for (int32_t i = 1; i < maximum - left; ++i) {
        if (const int32_t got = ask(); got != i) {
            STRCMP_EQUAL_TEXT(shown(i).c_str(), shown(got).c_str(), "before the first wrap each number is one more than the last");
        }
    }
}

// A failure of the schedule names errors.
void expect_got(int32_t wanted, int32_t got) {
    if (got != wanted) {
        explorer::fail("pid_allocate gave %s where %s was due", shown(got).c_str(), shown(wanted).c_str());
    }
}

}  // namespace

TEST_GROUP(PidCores) {};

TEST(PidCores, the_last_number_goes_to_one_and_the_other_is_told) {
    fill(smallest_pid_max, 1);
    explore({}, [] {
        int32_t got[2] = {};
        explorer::thread("first", [&] { got[0] = ask(); });
        explorer::thread("second", [&] { got[1] = ask(); });
        explorer::run();
        if ((got[0] == refused) == (got[1] == refused)) {
            explorer::fail("one number was left for two: the first got %s, the second %s", shown(got[0]).c_str(), shown(got[1]).c_str());
        }
        expect_got(smallest_pid_max - 1, got[0] == refused ? got[1] : got[0]);
        EXPECT_EQUAL(smallest_pid_max, pids_in_use());
    });
}

TEST(PidCores, a_number_that_a_group_takes_over_is_never_free) {
    fill(smallest_pid_max, 1);
    explore({.most = 3'000}, [] {
        const Pid pid = static_cast<Pid>(ask());
        int32_t got = 0;
        explorer::thread("its process ends, its group begins", [&] {
            pid_take(pid, PidUse::Group);
            pid_release(pid, PidUse::Process);
        });
        explorer::thread("its session begins", [&] { pid_take(pid, PidUse::Session); });
        explorer::thread("asks", [&] { got = ask(); });
        explorer::run();
        expect_got(refused, got);
        EXPECT(pid_in_use(pid));
    });
}

TEST(PidCores, what_two_give_back_at_once_can_be_had_again) {
    fill(smallest_pid_max, 0);
    explore({}, [] {
        const Pid first{first_recycled_pid}, second{first_recycled_pid + 1};
        explorer::thread("first", [&] { pid_release(first, PidUse::Process); });
        explorer::thread("second", [&] { pid_release(second, PidUse::Process); });
        explorer::run();
        EXPECT_EQUAL(smallest_pid_max - 2, pids_in_use());
        expect_got(number(first), ask());
        expect_got(number(second), ask());
    });
}

TEST_GROUP(PidIds) {};

TEST(PidIds, unique_ids_and_versions_never_repeat) {
    // A counter may well be relaxed: others may come between any two of its accesses all the same.
    explore({.relaxed = true}, [] {
        uint64_t ids[5] = {next_unique_id()};
        uint32_t versions[5] = {next_id_version()};
        const auto call = [&](unsigned from) {
            for (unsigned i = from; i < from + 2; ++i) {
                ids[i] = next_unique_id();
                versions[i] = next_id_version();
            }
        };
        explorer::thread("first", [&] { call(1); });
        explorer::thread("second", [&] { call(3); });
        explorer::run();
        EXPECT(ids[1] < ids[2] && ids[3] < ids[4]);
        EXPECT(versions[1] < versions[2] && versions[3] < versions[4]);
        // Each call added one, and gave what nobody else was given.
        std::sort(ids, ids + 5);
        std::sort(versions, versions + 5);
        for (unsigned i = 1; i < 5; ++i) {
            EXPECT_EQUAL(ids[0] + i, ids[i]);
            EXPECT_EQUAL(versions[0] + i, versions[i]);
        }
    });
}

TEST_GROUP(PidCost) {
    // How often memory was touched for one number.
    static uint64_t cost_of_a_number(int32_t expected) {
        uint64_t cost = 0;
        explore({.preemptions = 0, .most = 1, .races = false}, [&] {
            int32_t got = 0;
            explorer::thread("asks", [&] {
                const uint64_t before = explorer::work().accesses;
                got = ask();
                cost = explorer::work().accesses - before;
            });
            explorer::run();
            expect_got(expected, got);
        });
        return cost;
    }
};

TEST(PidCost, does_not_grow_with_the_number_of_processes) {
    constexpr uint64_t growth_allowed = 200;
    fill(largest_pid_max, largest_pid_max - 10);
    const uint64_t nearly_empty = cost_of_a_number(10);
    // All are taken but one far behind the wrap.
    fill(largest_pid_max, 0);
    pid_release(Pid{90'000}, PidUse::Process);
    const uint64_t nearly_full = cost_of_a_number(90'000);
    char text[200];
    snprintf(text, sizeof text, "one number costs %llu accesses to memory with 10 of them taken, and %llu with all but one taken",
             static_cast<unsigned long long>(nearly_empty), static_cast<unsigned long long>(nearly_full));
    CHECK_TRUE_TEXT(nearly_full <= nearly_empty + growth_allowed, text);
}
