// Lab 2 at EL0: the whole system on the student's numbers.
#include "grader/target/program/program_check.h"
#include "user/support/support.h"

namespace {

constexpr pid_t first_recycled = 100;       // pid.h; and this system's maximum is 200

// A child that has ended and was waited for; its number.
pid_t short_lived_child() {
    const pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    LONGS_EQUAL_TEXT(child, waitpid(child, nullptr, 0), "a child is made and waited for");
    return child;
}

}  // namespace

TEST_GROUP(PidSystem) {};

TEST(PidSystem, runs_the_shell_and_forktest) {
    LONGS_EQUAL_TEXT(0, shell("forktest 1"), "the shell's status");
    LONGS_EQUAL_TEXT(0, shell("sleep 0 & wait; ps | grep ps"), "jobs in the background");
}

TEST(PidSystem, five_hundred_forks_go_round_the_numbers) {
    pid_t last = getpid();
    int wraps = 0;
    for (int i = 0; i < 500; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(i % 7);
        }
        int status = -1;
        LONGS_EQUAL_TEXT(child, waitpid(child, &status, 0), "a child is made and waited for");
        LONGS_EQUAL_TEXT(i % 7, exited(status), "its status");
        wraps += child <= last;
        CHECK_TRUE_TEXT(wraps == 0 || child >= 100, "a low number was given again");
        last = child;
    }
    CHECK_TRUE_TEXT(wraps >= 4, "here numbers stay below 200, so 500 forks go round at least four times");
}

TEST(PidSystem, a_group_keeps_its_number_when_its_leader_is_gone) {
    // The leader's number shall be one that comes again: a low one never does, whoever has it.
    for (int i = 0; i < first_recycled && short_lived_child() < first_recycled; ++i) {
    }
    Gate leave;
    const pid_t leader = fork();
    if (leader == 0) {
        setpgid(0, 0);
        if (fork() == 0) {
            leave.pass();
            _exit(0);
        }
        _exit(0);
    }
    CHECK_TRUE_TEXT(leader > first_recycled, "behind a hundred forks the numbers are above 100");
    LONGS_EQUAL(leader, waitpid(leader, nullptr, 0));
    const int alive = kill(-leader, 0);
    int given_again = 0;
    for (int i = 0; i < 200; ++i) {
        given_again += short_lived_child() == leader;
    }
    leave.open();
    LONGS_EQUAL_TEXT(0, alive, "a signal to the group, whose leader was waited for");
    LONGS_EQUAL_TEXT(0, given_again, "new processes with the number of the group");
    LONGS_EQUAL_TEXT(true, waitpid(-1, nullptr, 0) > 0, "process 1 waits for the orphan");
    FAILS_WITH(ESRCH, kill(-leader, 0));
}
