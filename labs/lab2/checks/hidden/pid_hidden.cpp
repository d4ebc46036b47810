// Lab 2: what the visible checks ask, by other values and in other orders.
#include "grader/runner/seed.h"
#include "kernel/proc/pid.h"
#include "unit/support.h"

namespace {

int32_t next() { return number(must(pid_allocate())); }
Pid pid(int32_t value) { return static_cast<Pid>(value); }

void fill(int32_t maximum) {
    must(pid_init(maximum));
    for (int32_t expected = 1; expected < maximum; ++expected) {
        LONGS_EQUAL(expected, next());
    }
}

}  // namespace

TEST_GROUP(PidHidden) {
    CheckRandom random{2};
    int32_t between(int32_t low, int32_t high) {
        return low + static_cast<int32_t>(random.below(static_cast<uint64_t>(high - low)));
    }

    // Of number `n`, when there is no free one: two uses begin besides the first, and all three end in this order.
    static void end_all_uses(int32_t n, const PidUse (&order)[3]) {
        const size_t before = pids_in_use();
        pid_take(pid(n), PidUse::Session);
        pid_take(pid(n), PidUse::Group);
        for (int i = 0; i < 2; ++i) {
            pid_release(pid(n), order[i]);
            CHECK_TRUE_TEXT(pid_in_use(pid(n)), "a use is left");
            must_fail(Error::TryAgain, pid_allocate());
        }
        pid_take(pid(n), order[0]);
        pid_release(pid(n), order[2]);
        CHECK_TRUE_TEXT(pid_in_use(pid(n)), "a use that came back is left");
        UNSIGNED_LONGS_EQUAL_TEXT(before, pids_in_use(), "the same numbers are in use");
        pid_release(pid(n), order[0]);
        CHECK_FALSE_TEXT(pid_in_use(pid(n)), "no use is left");
        UNSIGNED_LONGS_EQUAL_TEXT(before - 1, pids_in_use(), "one number less");
        if (n >= first_recycled_pid) {
            LONGS_EQUAL(n, next());
        } else {
            must_fail(Error::TryAgain, pid_allocate());
        }
    }
};

TEST(PidHidden, goes_round_whatever_the_maximum) {
    const int32_t maximum = between(smallest_pid_max + 60, 600);
    fill(maximum);
    must_fail(Error::TryAgain, pid_allocate());
    const int32_t low = between(2, first_recycled_pid), first = between(first_recycled_pid, first_recycled_pid + 20),
                  second = between(first + 1, maximum - 10), last = maximum - 1;
    for (int32_t freed : {second, low, last, first}) {
        pid_release(pid(freed), PidUse::Process);
    }
    UNSIGNED_LONGS_EQUAL(static_cast<size_t>(maximum - 4), pids_in_use());
    LONGS_EQUAL(first, next());
    pid_release(pid(first), PidUse::Process);
    LONGS_EQUAL(second, next());
    LONGS_EQUAL(last, next());
    LONGS_EQUAL(first, next());
    must_fail(Error::TryAgain, pid_allocate());
    CHECK_FALSE(pid_in_use(pid(low)));
    must(pid_init(maximum - 50));
    LONGS_EQUAL_TEXT(1, next(), "pid_init forgets everything");
    UNSIGNED_LONGS_EQUAL(2, pids_in_use());
}

TEST(PidHidden, uses_begin_and_end_in_any_order) {
    constexpr int32_t maximum = smallest_pid_max + 40;
    fill(maximum);
    constexpr PidUse orders[6][3] = {
        {PidUse::Process, PidUse::Group, PidUse::Session}, {PidUse::Process, PidUse::Session, PidUse::Group},
        {PidUse::Group, PidUse::Process, PidUse::Session}, {PidUse::Session, PidUse::Process, PidUse::Group},
        {PidUse::Group, PidUse::Session, PidUse::Process}, {PidUse::Session, PidUse::Group, PidUse::Process}};
    int32_t low = 1, lows = (first_recycled_pid - 1) / 6;
    for (const PidUse(&order)[3] : orders) {
        // One that comes again, and one that never does; each low one only once.
        end_all_uses(between(first_recycled_pid, maximum), order);
        low = between(low, low + lows);
        end_all_uses(low++, order);
    }
}

TEST(PidHidden, finds_the_only_free_number_of_all) {
    fill(largest_pid_max);
    // Where words of 32 and 64 numbers meet, and groups of them, and anywhere.
    const int32_t meets = 64 * between(2, largest_pid_max / 64);
    const int32_t numbers[] = {largest_pid_max - 1, 4096 * between(1, 24), meets, meets - 1, first_recycled_pid, between(200, 90'000)};
    for (int32_t n : numbers) {
        pid_release(pid(n), PidUse::Process);
        LONGS_EQUAL(n, next());
        must_fail(Error::TryAgain, pid_allocate());
    }
}
