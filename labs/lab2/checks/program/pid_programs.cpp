// Lab 2 at EL0: the whole system on the student's numbers.
#include "grader/target/program/program_check.h"
#include "user/support/support.h"

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
    LONGS_EQUAL(leader, waitpid(leader, nullptr, 0));
    const int alive = kill(-leader, 0);
    int given_again = 0;
    for (int i = 0; i < 200; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(0);
        }
        waitpid(child, nullptr, 0);
        given_again += child == leader;
    }
    leave.open();
    LONGS_EQUAL_TEXT(0, alive, "a signal to the group, whose leader was waited for");
    LONGS_EQUAL_TEXT(0, given_again, "new processes with the number of the group");
    LONGS_EQUAL_TEXT(true, waitpid(-1, nullptr, 0) > 0, "process 1 waits for the orphan");
    FAILS_WITH(ESRCH, kill(-leader, 0));
}
