// Lab 2: what must panic.
#include "grader/runner/host_check.h"
#include "kernel/proc/pid.h"
#include "unit/support.h"

TEST_GROUP(PidMisuse) {
    void setup() override { must(pid_init(smallest_pid_max)); }
};

TEST(PidMisuse, a_use_taken_twice_panics) {
    const Pid one = must(pid_allocate());
    pid_take(one, PidUse::Group);
    pid_take(one, PidUse::Session);
    MUST_PANIC(pid_take(one, PidUse::Group));
}

TEST(PidMisuse, a_use_of_a_free_number_panics) {
    const Pid one = must(pid_allocate());
    pid_release(one, PidUse::Process);
    MUST_PANIC(pid_take(one, PidUse::Group));
}

TEST(PidMisuse, a_use_released_twice_panics) {
    const Pid one = must(pid_allocate());
    pid_take(one, PidUse::Group);
    pid_release(one, PidUse::Group);
    MUST_PANIC(pid_release(one, PidUse::Group));
}
