// Misuse of pids, which panics: on the host alone.
#include "kernel/proc/pid.h"
#include "unit/panics.h"
#include "unit/support.h"

TEST_GROUP(PidMisuse) {
    Pid pid{};
    void setup() override {
        must(pid_init(smallest_pid_max));
        pid = must(pid_allocate());
    }
    void teardown() override { must(pid_init(largest_pid_max)); }
};

TEST(PidMisuse, a_use_that_a_number_has_already_panics) {
    must_panic([&] { pid_take(pid, PidUse::Process); });
    pid_take(pid, PidUse::Session);
    must_panic([&] { pid_take(pid, PidUse::Session); });
}

TEST(PidMisuse, a_further_use_of_a_number_that_is_free_panics) {
    must_panic([&] { pid_take(static_cast<Pid>(50), PidUse::Group); });
}

TEST(PidMisuse, the_end_of_a_use_that_a_number_has_not_panics) {
    must_panic([&] { pid_release(pid, PidUse::Group); });
    pid_release(pid, PidUse::Process);
    must_panic([&] { pid_release(pid, PidUse::Process); });
}

TEST(PidMisuse, a_number_that_can_not_be_a_pid_panics) {
    must_panic([&] { pid_take(Pid::None, PidUse::Group); });
    must_panic([&] { pid_release(static_cast<Pid>(smallest_pid_max), PidUse::Group); });
}

TEST(PidMisuse, asking_for_a_number_that_can_not_be_a_pid_is_no_misuse) {
    CHECK_FALSE(pid_in_use(Pid::None) || pid_in_use(static_cast<Pid>(smallest_pid_max)));
    CHECK_TRUE(pid_in_use(pid));
    LONGS_EQUAL(smallest_pid_max, pid_maximum());
}
