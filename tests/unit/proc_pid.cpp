// Pids: order, wrap, skipping, exhaustion.
#include "kernel/proc/pid.h"
#include "unit/support.h"

namespace {

Pid next() { return must(pid_allocate()); }
void free_process(int32_t pid) { pid_release(static_cast<Pid>(pid), PidUse::Process); }

// Takes numbers until the next one is `wanted`, which is beyond the last taken.
void take_until(int32_t wanted) {
    while (number(next()) + 1 != wanted) {
    }
}

}  // namespace

TEST_GROUP(Pid) {
    void setup() override { must(pid_init(smallest_pid_max)); }
    void teardown() override { must(pid_init(largest_pid_max)); }
};

TEST(Pid, starts_with_init_and_rises_by_one) {
    LONGS_EQUAL(1, number(next()));
    LONGS_EQUAL(2, number(next()));
}

TEST(Pid, is_not_given_again_before_the_wrap) {
    LONGS_EQUAL(1, number(next()));
    free_process(1);
    LONGS_EQUAL(2, number(next()));
}

TEST(Pid, stays_below_the_maximum_and_restarts_at_the_first_recycled) {
    take_until(smallest_pid_max - 1);
    free_process(first_recycled_pid);
    LONGS_EQUAL(smallest_pid_max - 1, number(next()));
    LONGS_EQUAL(first_recycled_pid, number(next()));
}

TEST(Pid, skips_what_a_process_still_has_after_the_wrap) {
    take_until(smallest_pid_max - 1);
    next();
    free_process(first_recycled_pid + 3);
    LONGS_EQUAL(first_recycled_pid + 3, number(next()));
}

TEST(Pid, skips_a_number_that_only_a_group_has) {
    take_until(smallest_pid_max - 1);
    next();
    pid_take(static_cast<Pid>(first_recycled_pid), PidUse::Group);
    free_process(first_recycled_pid);
    free_process(first_recycled_pid + 1);
    LONGS_EQUAL(first_recycled_pid + 1, number(next()));
    pid_release(static_cast<Pid>(first_recycled_pid), PidUse::Group);
    LONGS_EQUAL(first_recycled_pid, number(next()));
}

TEST(Pid, skips_a_number_that_only_a_session_has) {
    take_until(smallest_pid_max - 1);
    next();
    pid_take(static_cast<Pid>(first_recycled_pid), PidUse::Session);
    free_process(first_recycled_pid);
    must_fail(Error::TryAgain, pid_allocate());
    pid_release(static_cast<Pid>(first_recycled_pid), PidUse::Session);
    LONGS_EQUAL(first_recycled_pid, number(next()));
}

TEST(Pid, never_recycles_the_low_numbers) {
    take_until(smallest_pid_max - 1);
    next();
    free_process(50);
    must_fail(Error::TryAgain, pid_allocate());
}

TEST(Pid, says_try_again_when_every_number_is_taken) {
    take_until(smallest_pid_max - 1);
    next();
    must_fail(Error::TryAgain, pid_allocate());
    UNSIGNED_LONGS_EQUAL(smallest_pid_max, pids_in_use());
}

TEST(Pid, finds_the_one_free_number_of_a_full_space) {
    must(pid_init(largest_pid_max));
    for (int32_t i = 1; i < largest_pid_max; ++i) {
        LONGS_EQUAL(i, number(next()));
    }
    must_fail(Error::TryAgain, pid_allocate());
    free_process(77'777);
    LONGS_EQUAL(77'777, number(next()));
}

TEST(Pid, refuses_a_maximum_that_is_too_small_or_too_large) {
    must_fail(Error::Invalid, pid_init(smallest_pid_max - 1));
    must_fail(Error::Invalid, pid_init(largest_pid_max + 1));
}

TEST(Pid, a_failing_step_takes_nothing) {
    const size_t before = pids_in_use();
    failpoint::arm(0);
    must_fail(Error::TryAgain, pid_allocate());
    failpoint::disarm();
    UNSIGNED_LONGS_EQUAL(before, pids_in_use());
    LONGS_EQUAL(1, number(next()));
}

TEST(Pid, unique_ids_and_versions_rise) {
    const uint64_t id = next_unique_id();
    const uint32_t version = next_id_version();
    CHECK(next_unique_id() == id + 1);
    CHECK(next_id_version() == version + 1);
}
