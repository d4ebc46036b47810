// Lab 1 at EL0: the whole system on the student's zones.
#include "grader/target/program/program_check.h"
#include "user/support/support.h"

TEST_GROUP(ZoneSystem) {};

TEST(ZoneSystem, runs_the_shell_and_forktest) {
    LONGS_EQUAL_TEXT(0, shell("forktest 1"), "the shell's status");
    LONGS_EQUAL_TEXT(0, shell("seq 1 50 | grep 7 | wc; sleep 0 & wait"), "pipes and jobs in the background");
}

TEST(ZoneSystem, two_hundred_forks_leave_nothing_behind) {
    const std::string lost = lost_by([] {
        for (int i = 0; i < 200; ++i) {
            LONGS_EQUAL_TEXT(i % 7, exited(in_child([i] { return i % 7; })), "a child's status");
        }
    });
    STRCMP_EQUAL_TEXT("", lost.c_str(), "what 200 forks did not give back");
}
