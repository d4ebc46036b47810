// Process groups and sessions.
#include "user/support/support.h"

TEST_GROUP(Groups) {};

TEST(Groups, a_child_is_in_its_parents_group_and_session) {
    const pid_t group = getpgrp(), session = getsid(0);
    LONGS_EQUAL(1, exited(in_child([&] { return getpgrp() == group && getsid(0) == session; })));
}

TEST(Groups, setpgid_makes_a_group_of_ones_own) {
    LONGS_EQUAL(1, exited(in_child([] { return setpgid(0, 0) == 0 && getpgrp() == getpid(); })));
}

TEST(Groups, setsid_makes_a_session_whose_leader_leads_a_group) {
    LONGS_EQUAL(1, exited(in_child([] { return setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid(); })));
}

TEST(Groups, a_group_leader_cannot_make_a_session) {
    LONGS_EQUAL(EPERM, exited(in_child([] {
        setpgid(0, 0);
        return setsid() == -1 ? errno : 0;
    })));
}

TEST(Groups, a_group_that_is_in_no_session_of_ours_cannot_be_joined) {
    LONGS_EQUAL(EPERM, exited(in_child([] { return setpgid(0, 77777) == -1 ? errno : 0; })));
}

TEST(Groups, kill_reaches_every_member_of_a_group) {
    int ready[2];
    CHECK(pipe(ready) == 0);
    pid_t first = 0;
    pid_t pids[3];
    for (pid_t& pid : pids) {
        pid = fork();
        if (pid == 0) {
            setpgid(0, first);
            write(ready[1], "r", 1);
            for (;;) {
                pause();
            }
        }
        setpgid(pid, first);
        first = first != 0 ? first : pid;
        char byte;
        read(ready[0], &byte, 1);
    }
    close(ready[0]);
    close(ready[1]);
    LONGS_EQUAL(0, kill(-first, SIGTERM));
    int ended = 0;
    for (const pid_t pid : pids) {
        int status;
        ended += waitpid(pid, &status, 0) == pid && killed_by(status) == SIGTERM;
    }
    LONGS_EQUAL(3, ended);
}

TEST(Groups, a_user_cannot_signal_anothers_process) {
    LONGS_EQUAL(EPERM, exited(in_child([] {
        setuid(1000);
        return kill(1, SIGTERM) == -1 ? errno : 0;
    })));
}
