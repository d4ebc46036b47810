// wait: statuses, selectors, options, orphans.
#include "user/support/support.h"

#include <sys/resource.h>

TEST_GROUP(Wait) {};

TEST(Wait, without_children_it_is_ECHILD) {
    FAILS_WITH(ECHILD, wait(nullptr));
}

TEST(Wait, somebody_elses_process_is_ECHILD) {
    FAILS_WITH(ECHILD, waitpid(1, nullptr, 0));
}

TEST(Wait, WNOHANG_returns_0_while_the_child_runs) {
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        char byte;
        read(go[0], &byte, 1);
        _exit(0);
    }
    const pid_t result = waitpid(pid, nullptr, WNOHANG);
    write(go[1], "x", 1);
    close(go[0]);
    close(go[1]);
    LONGS_EQUAL(pid, waitpid(pid, nullptr, 0));
    LONGS_EQUAL(0, result);
}

TEST(Wait, the_exit_status_is_the_low_eight_bits) {
    LONGS_EQUAL(0x34, exited(in_child([] { return 0x1234; })));
}

TEST(Wait, a_child_is_waited_for_once) {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    LONGS_EQUAL(pid, waitpid(pid, nullptr, 0));
    FAILS_WITH(ECHILD, waitpid(pid, nullptr, 0));
}

TEST(Wait, a_signals_number_is_in_the_status) {
    LONGS_EQUAL(SIGTERM, killed_by(in_child([] {
        raise(SIGTERM);
        return 0;
    })));
}

TEST(Wait, any_child_of_a_group_can_be_waited_for) {
    const pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        _exit(8);
    }
    setpgid(pid, pid);
    int status;
    LONGS_EQUAL(pid, waitpid(-pid, &status, 0));
    LONGS_EQUAL(8, exited(status));
}

TEST(Wait, an_unknown_option_is_EINVAL) {
    FAILS_WITH(EINVAL, waitpid(-1, nullptr, 0x4000));
}

TEST(Wait, a_bad_address_for_the_status_is_EFAULT) {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    errno = 0;
    const pid_t result = waitpid(pid, reinterpret_cast<int*>(8), 0);
    const int error = errno;
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EFAULT, error);
}

TEST(Wait, an_orphans_new_parent_is_init) {
    int answer[2];
    CHECK(pipe(answer) == 0);
    in_child([&] {
        if (fork() == 0) {
            while (getppid() != 1) {
                usleep(1000);
            }
            write(answer[1], "i", 1);
            _exit(0);
        }
        return 0;
    });
    char byte = 0;
    read(answer[0], &byte, 1);
    close(answer[0]);
    close(answer[1]);
    usleep(20000);
    LONGS_EQUAL('i', byte);
}

TEST(Wait, a_stopped_child_is_reported_with_WUNTRACED_and_a_continued_one_goes_on) {
    const pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(4);
    }
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, WUNTRACED));
    CHECK(WIFSTOPPED(status));
    LONGS_EQUAL(SIGSTOP, WSTOPSIG(status));
    kill(pid, SIGCONT);
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(4, exited(status));
}

TEST(Wait, a_pid_selects_that_child_and_leaves_the_others) {
    const pid_t first = fork();
    if (first == 0) {
        _exit(1);
    }
    const pid_t second = fork();
    if (second == 0) {
        _exit(2);
    }
    int status = 0, other = 0;
    const pid_t result = waitpid(second, &status, 0), rest = waitpid(-1, &other, 0);
    LONGS_EQUAL(second, result);
    LONGS_EQUAL(2, exited(status));
    LONGS_EQUAL(first, rest);
    LONGS_EQUAL(1, exited(other));
}

TEST(Wait, zero_selects_the_callers_group_alone) {
    const pid_t elsewhere = fork();
    if (elsewhere == 0) {
        pause();
        _exit(0);
    }
    setpgid(elsewhere, elsewhere);
    const pid_t here = fork();
    if (here == 0) {
        _exit(0);
    }
    const pid_t found = waitpid(0, nullptr, 0);
    FAILS_WITH(ECHILD, waitpid(0, nullptr, WNOHANG));
    kill(elsewhere, SIGKILL);
    LONGS_EQUAL(elsewhere, waitpid(-elsewhere, nullptr, 0));
    LONGS_EQUAL(here, found);
}

TEST(Wait, a_group_without_children_of_ours_is_ECHILD) {
    FAILS_WITH(ECHILD, waitpid(-77777, nullptr, 0));
}

TEST(Wait, a_stopped_child_is_not_told_without_WUNTRACED) {
    const pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    const bool stopped = wait_for_state(pid, FL_PROC_STOPPED);
    const pid_t told = waitpid(pid, nullptr, WNOHANG);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    CHECK(stopped);
    LONGS_EQUAL(0, told);
}

TEST(Wait, a_stop_is_told_once) {
    const pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    int status;
    const pid_t first = waitpid(pid, &status, WUNTRACED), second = waitpid(pid, nullptr, WUNTRACED | WNOHANG);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(pid, first);
    LONGS_EQUAL(SIGSTOP, stopped_by(status));
    LONGS_EQUAL(0, second);
}

TEST(Wait, a_continued_child_is_told_with_WCONTINUED_and_once) {
    const pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        pause();
        _exit(0);
    }
    int status;
    waitpid(pid, nullptr, WUNTRACED);
    kill(pid, SIGCONT);
    const pid_t first = waitpid(pid, &status, WCONTINUED), second = waitpid(pid, nullptr, WCONTINUED | WNOHANG);
    const bool continued = WIFCONTINUED(status);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(pid, first);
    CHECK(continued);
    LONGS_EQUAL(0, second);
}

TEST(Wait, a_stopped_child_can_be_killed_and_its_end_is_told) {
    const pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(pid, nullptr, WUNTRACED);
    kill(pid, SIGKILL);
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(SIGKILL, killed_by(status));
}

TEST(Wait, WNOWAIT_belongs_to_waitid_and_is_EINVAL) {
    FAILS_WITH(EINVAL, waitpid(-1, nullptr, 0x01000000));
}

TEST(Wait, a_zombie_keeps_its_pid_until_it_is_waited_for) {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    const bool ended = wait_for_state(pid, FL_PROC_ZOMBIE);
    const int while_zombie = kill(pid, 0);
    const pid_t group = getpgid(pid);
    waitpid(pid, nullptr, 0);
    CHECK(ended);
    LONGS_EQUAL(0, while_zombie);
    LONGS_EQUAL(getpgrp(), group);
    FAILS_WITH(ESRCH, kill(pid, 0));
}

TEST(Wait, the_usage_of_a_child_comes_with_its_status) {
    const pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 2'000'000; ++i) {
            asm volatile("");
        }
        _exit(0);
    }
    struct rusage usage;
    int status;
    LONGS_EQUAL(pid, wait4(pid, &status, 0, &usage));
    CHECK(usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec > 0);
    struct rusage children;
    getrusage(RUSAGE_CHILDREN, &children);
    CHECK(children.ru_utime.tv_sec * 1'000'000 + children.ru_utime.tv_usec >=
          usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec);
}

// A child that sends its parent a signal when the parent sleeps in wait, and ends when the gate opens.
static pid_t child_that_pokes(int number, const Gate& gate) {
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        wait_for_state(parent, FL_PROC_SLEEPING);
        kill(parent, number);
        gate.pass();
        _exit(6);
    }
    return pid;
}

TEST(Wait, a_handler_without_SA_RESTART_ends_it_with_EINTR) {
    Gate gate;
    struct sigaction action = {}, old;
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, &old);
    const pid_t pid = child_that_pokes(SIGUSR1, gate);
    errno = 0;
    const pid_t result = waitpid(pid, nullptr, 0);
    const int error = errno;
    gate.open();
    while (waitpid(pid, nullptr, 0) == -1 && errno == EINTR) {
    }
    sigaction(SIGUSR1, &old, nullptr);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EINTR, error);
}

TEST(Wait, a_handler_with_SA_RESTART_lets_it_go_on) {
    static Gate* opened;
    Gate gate;
    opened = &gate;
    struct sigaction action = {}, old;
    action.sa_handler = [](int) { opened->open(); };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, &old);
    const pid_t pid = child_that_pokes(SIGUSR1, gate);
    int status = 0;
    const pid_t result = waitpid(pid, &status, 0);
    sigaction(SIGUSR1, &old, nullptr);
    LONGS_EQUAL(pid, result);
    LONGS_EQUAL(6, exited(status));
}

TEST(Wait, with_SIGCHLD_ignored_children_leave_no_zombies_and_the_end_is_ECHILD) {
    LONGS_EQUAL(ECHILD, exited(in_child([] {
        signal(SIGCHLD, SIG_IGN);
        for (int i = 0; i < 3; ++i) {
            if (fork() == 0) {
                usleep(1'000);
                _exit(0);
            }
        }
        return wait(nullptr) == -1 ? errno : 0;
    })));
}

TEST(Wait, it_sleeps_until_one_of_several_children_ends) {
    Gate gates[3];
    pid_t pids[3];
    for (int i = 0; i < 3; ++i) {
        pids[i] = fork();
        if (pids[i] == 0) {
            gates[i].pass();
            _exit(i);
        }
    }
    pid_t order[3];
    constexpr int wanted[] = {1, 2, 0};
    for (const int i : wanted) {
        gates[i].open();
        order[i] = wait(nullptr);
    }
    for (int i = 0; i < 3; ++i) {
        LONGS_EQUAL(pids[i], order[i]);
    }
}

// A child that ends with 7, not collected.
static pid_t child_that_exits_with_7() {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(7);
    }
    return pid;
}

TEST(Wait, waitid_tells_who_ended_and_how) {
    const pid_t pid = child_that_exits_with_7();
    siginfo_t info = {};
    LONGS_EQUAL(0, waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED));
    CHECK(info.si_signo == SIGCHLD && info.si_code == CLD_EXITED && info.si_pid == pid && info.si_status == 7);
    FAILS_WITH(ECHILD, waitid(P_ALL, 0, &info, WEXITED));
}

TEST(Wait, waitid_tells_a_killed_child_from_one_that_exits_with_that_number) {
    const pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(9);
    }
    kill(pid, SIGKILL);
    siginfo_t info = {};
    LONGS_EQUAL(0, waitid(P_ALL, 0, &info, WEXITED));
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
}

TEST(Wait, waitid_with_WNOWAIT_leaves_the_child_to_be_waited_for) {
    const pid_t pid = child_that_exits_with_7();
    siginfo_t info = {};
    LONGS_EQUAL(0, waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT));
    LONGS_EQUAL(pid, info.si_pid);
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(7, exited(status));
}

TEST(Wait, waitid_for_stops_alone_does_not_collect_who_ended) {
    const pid_t pid = child_that_exits_with_7();
    const bool ended = wait_for_state(pid, FL_PROC_ZOMBIE);
    siginfo_t info;
    memset(&info, 0x55, sizeof info);
    const int result = waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG);
    waitpid(pid, nullptr, 0);
    CHECK(ended);
    LONGS_EQUAL(0, result);
    LONGS_EQUAL(0, info.si_signo);
    LONGS_EQUAL(0, info.si_pid);
}

TEST(Wait, waitid_tells_of_stop_and_continuation_once_each) {
    const pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        for (;;) {
            pause();
        }
    }
    siginfo_t stopped = {}, continued = {}, nothing = {};
    waitid(P_PID, static_cast<id_t>(pid), &stopped, WSTOPPED);
    waitid(P_PID, static_cast<id_t>(pid), &nothing, WSTOPPED | WNOHANG);
    kill(pid, SIGCONT);
    waitid(P_PGID, static_cast<id_t>(getpgrp()), &continued, WCONTINUED);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    CHECK(stopped.si_code == CLD_STOPPED && stopped.si_status == SIGSTOP);
    CHECK(continued.si_code == CLD_CONTINUED && continued.si_status == SIGCONT);
    LONGS_EQUAL(0, nothing.si_pid);
}

TEST(Wait, waitid_checks_what_it_is_asked) {
    siginfo_t info;
    FAILS_WITH(EINVAL, waitid(P_ALL, 0, &info, 0));
    FAILS_WITH(EINVAL, waitid(P_ALL, 0, &info, WEXITED | 0x4000));
    FAILS_WITH(EINVAL, waitid(static_cast<idtype_t>(9), 0, &info, WEXITED));
    FAILS_WITH(EINVAL, waitid(P_PID, 0, &info, WEXITED));
    FAILS_WITH(ECHILD, waitid(P_PGID, 1, &info, WEXITED));
}
