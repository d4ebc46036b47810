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

TEST(Groups, a_parent_puts_its_child_into_a_group_until_it_has_execed) {
    Gate exec, gate;
    const pid_t pid = fork();
    if (pid == 0) {
        exec.pass();
        fcntl(gate.reader(), F_SETFD, 0);
        char command[32];
        snprintf(command, sizeof command, "read x <&%d", gate.reader());
        execl("/bin/sh", "sh", "-c", command, nullptr);
        _exit(1);
    }
    const int before = setpgid(pid, pid);
    exec.open();
    errno = 0;
    int after = 0;
    for (int i = 0; i < 5'000 && (after = setpgid(pid, pid)) == 0; ++i) {
        usleep(1'000);
    }
    const int error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(0, before);
    LONGS_EQUAL(-1, after);
    LONGS_EQUAL(EACCES, error);
}

TEST(Groups, a_process_that_is_neither_ours_nor_a_child_is_ESRCH) {
    FAILS_WITH(ESRCH, setpgid(1, 1));
    FAILS_WITH(ESRCH, setpgid(77777, 0));
}

TEST(Groups, a_negative_group_is_EINVAL) {
    FAILS_WITH(EINVAL, setpgid(0, -2));
}

TEST(Groups, a_session_leader_stays_in_its_group) {
    LONGS_EQUAL(EPERM, exited(in_child([] {
        setsid();
        return setpgid(0, 0) == -1 ? errno : 0;
    })));
}

TEST(Groups, a_child_in_another_session_is_EPERM) {
    Gate ready;
    const pid_t pid = fork();
    if (pid == 0) {
        setsid();
        ready.open();
        pause();
        _exit(0);
    }
    ready.pass();
    errno = 0;
    const int result = setpgid(pid, pid);
    const int error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EPERM, error);
}

TEST(Groups, what_nobody_is_called_has_neither_group_nor_session) {
    FAILS_WITH(ESRCH, getpgid(77777));
    FAILS_WITH(ESRCH, getsid(77777));
    FAILS_WITH(ESRCH, kill(-77777, SIGTERM));
}

TEST(Groups, signal_to_zero_reaches_the_callers_group_alone) {
    LONGS_EQUAL(SIGTERM, killed_by(in_child([] {
        setpgid(0, 0);
        const pid_t apart = fork();
        if (apart == 0) {
            setpgid(0, 0);
            usleep(50'000);
            _exit(0);
        }
        setpgid(apart, apart);
        return kill(0, SIGTERM);
    })));
}

TEST(Groups, a_groups_id_is_not_given_to_a_process_while_the_group_has_members) {
    Gate gate;
    LONGS_EQUAL(0, exited(in_child([&] {
        setpgid(0, 0);
        const pid_t leader = getpid();
        const pid_t member = fork();
        if (member == 0) {
            gate.pass();
            _exit(getpgrp() == leader ? 0 : 1);
        }
        const pid_t outsider = fork();
        if (outsider == 0) {
            setpgid(0, 0);
            gate.open();
            _exit(0);
        }
        waitpid(outsider, nullptr, 0);
        int status = 1;
        waitpid(member, &status, 0);
        return exited(status);
    })));
}

// The shell of a job that ends: its group is orphaned, and what is stopped in it is hung up and continued.
TEST(Groups, a_stopped_group_that_is_orphaned_gets_SIGHUP_and_SIGCONT) {
    Gate answer;
    const int status = in_child([&] {
        setsid();
        const pid_t member = fork();
        if (member == 0) {
            setpgid(0, 0);
            static const Gate* told;
            told = &answer;
            signal(SIGHUP, [](int) { write(told->writer(), "h", 1); });
            signal(SIGCONT, [](int) { write(told->writer(), "c", 1); });
            raise(SIGSTOP);
            _exit(0);
        }
        return waitpid(member, nullptr, WUNTRACED) == member ? 0 : 1;
    });
    char told[3] = "";
    for (int i = 0; i < 2; ++i) {
        read(answer.reader(), &told[i], 1);
    }
    LONGS_EQUAL(0, exited(status));
    CHECK(strchr(told, 'h') != nullptr);
    CHECK(strchr(told, 'c') != nullptr);
}

TEST(Groups, a_member_of_an_orphaned_group_is_not_stopped_by_SIGTSTP) {
    LONGS_EQUAL(5, exited(in_child([] {
        setsid();
        raise(SIGTSTP);
        return 5;
    })));
}

TEST(Groups, SIGCONT_may_be_sent_within_a_session_by_any_user) {
    LONGS_EQUAL(0, exited(in_child([] {
        setuid(1000);
        return kill(getppid(), SIGCONT) == 0 ? 0 : errno;
    })));
}

TEST(Groups, signal_to_everybody_reaches_those_of_the_user_alone) {
    Gate gate;
    const pid_t ours = fork();
    if (ours == 0) {
        gate.pass();
        _exit(3);
    }
    const int status = in_child([] {
        setuid(4711);
        const pid_t victim = fork();
        if (victim == 0) {
            pause();
        }
        kill(-1, SIGTERM);
        int ended = 0;
        waitpid(victim, &ended, 0);
        return killed_by(ended);
    });
    gate.open();
    int left = 0;
    waitpid(ours, &left, 0);
    LONGS_EQUAL(SIGTERM, exited(status));
    LONGS_EQUAL(3, exited(left));
}
