// Lab 2 on one core: the order of numbers, their three uses, the full space. Each check is one sentence of pid.h.
#include "kernel/proc/pid.h"
#include "unit/support.h"

namespace {

Pid next() { return must(pid_allocate()); }
Pid pid(int32_t value) { return static_cast<Pid>(value); }
void end_process(int32_t value) { pid_release(pid(value), PidUse::Process); }

// Takes numbers, each one more than the last, until `last` was given.
void take_up_to(int32_t last) {
    for (int32_t expected = 1; expected <= last; ++expected) {
        LONGS_EQUAL_TEXT(expected, number(next()), "before the first wrap each number is one more than the last");
    }
}

}  // namespace

TEST_GROUP(PidOrder) {
    void setup() override { must(pid_init(smallest_pid_max)); }
};

TEST(PidOrder, starts_with_init_and_rises_by_one) {
    LONGS_EQUAL(1, number(next()));
    LONGS_EQUAL(2, number(next()));
    LONGS_EQUAL(3, number(next()));
}

TEST(PidOrder, is_not_given_again_before_the_wrap) {
    take_up_to(3);
    end_process(2);
    LONGS_EQUAL_TEXT(4, number(next()), "2 is free again, but its turn comes only after a wrap");
}

TEST(PidOrder, restarts_at_the_first_recycled_number) {
    take_up_to(smallest_pid_max - 2);
    end_process(first_recycled_pid);
    end_process(50);
    LONGS_EQUAL_TEXT(smallest_pid_max - 1, number(next()), "the last number below the maximum");
    LONGS_EQUAL_TEXT(first_recycled_pid, number(next()), "the number behind the last");
}

TEST(PidOrder, goes_on_behind_the_last_number_after_the_wrap) {
    take_up_to(smallest_pid_max - 1);
    end_process(first_recycled_pid + 2);
    end_process(first_recycled_pid + 5);
    LONGS_EQUAL(first_recycled_pid + 2, number(next()));
    end_process(first_recycled_pid + 2);
    LONGS_EQUAL_TEXT(first_recycled_pid + 5, number(next()), "102 is free again, but the search goes on behind it");
    LONGS_EQUAL_TEXT(first_recycled_pid + 2, number(next()), "the second wrap");
}

TEST(PidOrder, never_recycles_the_low_numbers) {
    take_up_to(smallest_pid_max - 1);
    end_process(first_recycled_pid - 1);
    must_fail(Error::TryAgain, pid_allocate());
    end_process(first_recycled_pid);
    LONGS_EQUAL(first_recycled_pid, number(next()));
}

TEST(PidOrder, refuses_a_maximum_out_of_bounds) {
    must_fail(Error::Invalid, pid_init(smallest_pid_max - 1));
    must_fail(Error::Invalid, pid_init(largest_pid_max + 1));
    must_fail(Error::Invalid, pid_init(-1));
    LONGS_EQUAL_TEXT(smallest_pid_max, pid_maximum(), "a refused maximum changes nothing");
    must(pid_init(largest_pid_max));
    LONGS_EQUAL(largest_pid_max, pid_maximum());
}

TEST_GROUP(PidUses) {
    void setup() override {
        must(pid_init(smallest_pid_max));
        take_up_to(smallest_pid_max - 1);
    }
};

TEST(PidUses, skips_what_a_process_still_has) {
    end_process(first_recycled_pid + 3);
    end_process(first_recycled_pid + 7);
    LONGS_EQUAL(first_recycled_pid + 3, number(next()));
    LONGS_EQUAL(first_recycled_pid + 7, number(next()));
}

TEST(PidUses, skips_a_number_that_only_a_group_has) {
    pid_take(pid(first_recycled_pid), PidUse::Group);
    end_process(first_recycled_pid);
    end_process(first_recycled_pid + 1);
    CHECK_TRUE(pid_in_use(pid(first_recycled_pid)));
    LONGS_EQUAL_TEXT(first_recycled_pid + 1, number(next()), "100 is still the id of a group");
}

TEST(PidUses, skips_a_number_that_only_a_session_has) {
    pid_take(pid(first_recycled_pid), PidUse::Session);
    end_process(first_recycled_pid);
    end_process(first_recycled_pid + 1);
    CHECK_TRUE(pid_in_use(pid(first_recycled_pid)));
    LONGS_EQUAL_TEXT(first_recycled_pid + 1, number(next()), "100 is still the id of a session");
}

TEST(PidUses, is_free_when_its_last_use_ends) {
    const PidUse orders[3][3] = {{PidUse::Process, PidUse::Group, PidUse::Session},
                                 {PidUse::Session, PidUse::Process, PidUse::Group},
                                 {PidUse::Group, PidUse::Session, PidUse::Process}};
    for (const PidUse(&order)[3] : orders) {
        const Pid one = pid(first_recycled_pid);
        pid_take(one, PidUse::Group);
        pid_take(one, PidUse::Session);
        pid_release(one, order[0]);
        pid_release(one, order[1]);
        CHECK_TRUE_TEXT(pid_in_use(one), "one use is left");
        pid_release(one, order[2]);
        CHECK_FALSE_TEXT(pid_in_use(one), "no use is left");
        LONGS_EQUAL(first_recycled_pid, number(next()));
    }
}

TEST(PidUses, numbers_that_cannot_exist_have_none) {
    CHECK_TRUE(pid_in_use(pid(smallest_pid_max - 1)));
    CHECK_FALSE_TEXT(pid_in_use(pid(smallest_pid_max)), "the maximum");
    CHECK_FALSE_TEXT(pid_in_use(pid(-1)), "a negative number");
    CHECK_FALSE_TEXT(pid_in_use(pid(largest_pid_max + 1)), "a number above all");
}

TEST_GROUP(PidFull) {
    void setup() override { must(pid_init(smallest_pid_max)); }
};

TEST(PidFull, says_try_again_when_every_number_is_taken) {
    take_up_to(smallest_pid_max - 1);
    must_fail(Error::TryAgain, pid_allocate());
    must_fail(Error::TryAgain, pid_allocate());
    end_process(first_recycled_pid + 4);
    LONGS_EQUAL(first_recycled_pid + 4, number(next()));
    must_fail(Error::TryAgain, pid_allocate());
}

TEST(PidFull, counts_what_is_in_use) {
    UNSIGNED_LONGS_EQUAL_TEXT(1, pids_in_use(), "number 0 is the kernel's own");
    take_up_to(5);
    UNSIGNED_LONGS_EQUAL(6, pids_in_use());
    pid_take(pid(3), PidUse::Group);
    UNSIGNED_LONGS_EQUAL_TEXT(6, pids_in_use(), "a second use is no second number");
    end_process(3);
    UNSIGNED_LONGS_EQUAL_TEXT(6, pids_in_use(), "the group still has it");
    pid_release(pid(3), PidUse::Group);
    UNSIGNED_LONGS_EQUAL(5, pids_in_use());
}

TEST(PidFull, a_failing_step_takes_nothing) {
    take_up_to(2);
    failpoint::arm(0);
    must_fail(Error::TryAgain, pid_allocate());
    failpoint::disarm();
    UNSIGNED_LONGS_EQUAL_TEXT(3, pids_in_use(), "the failed call took a number");
    LONGS_EQUAL_TEXT(3, number(next()), "the failed call used a number up");
}
