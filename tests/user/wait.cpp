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
