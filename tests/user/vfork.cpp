// vfork: the child borrows the parent's memory until it execs or exits.
#include "user/support/support.h"

TEST_GROUP(Vfork) {};

static volatile int shared = 0;

TEST(Vfork, the_parent_sees_what_the_child_wrote) {
    shared = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        shared = 21;
        _exit(3);
    }
    CHECK(pid > 0);
    LONGS_EQUAL(21, shared);
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(3, exited(status));
}

TEST(Vfork, the_child_has_a_pid_of_its_own) {
    const pid_t parent = getpid();
    shared = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        shared = getpid();
        _exit(0);
    }
    LONGS_EQUAL(pid, shared);
    CHECK(pid != parent);
    LONGS_EQUAL(parent, getpid());
    LONGS_EQUAL(pid, waitpid(pid, nullptr, 0));
}

TEST(Vfork, a_program_takes_over_and_the_parent_goes_on) {
    const pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/false", "false", nullptr);
        _exit(99);
    }
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(1, exited(status));
}

TEST(Vfork, after_a_failed_exec_the_child_still_runs) {
    shared = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        execl("/no/such/program", "program", nullptr);
        shared = errno;
        _exit(55);
    }
    LONGS_EQUAL(ENOENT, shared);
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(55, exited(status));
}

TEST(Vfork, descriptors_that_the_child_closes_stay_open_in_the_parent) {
    const int fd = open("/dev/null", O_RDWR);
    const pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        _exit(0);
    }
    waitpid(pid, nullptr, 0);
    const int flags = fcntl(fd, F_GETFD);
    close(fd);
    LONGS_EQUAL(0, flags);
}

TEST(Vfork, a_vfork_inside_of_a_vfork_is_refused) {
    shared = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        const pid_t inner = vfork();
        if (inner == 0) {
            _exit(0);
        }
        shared = inner == -1 ? errno : 0;
        _exit(0);
    }
    LONGS_EQUAL(pid, waitpid(pid, nullptr, 0));
    LONGS_EQUAL(EINVAL, shared);
}

TEST(Vfork, a_hundred_in_a_row_leave_nothing) {
    for (int i = 0; i < 100; ++i) {
        const pid_t pid = vfork();
        if (pid == 0) {
            _exit(i);
        }
        int status;
        LONGS_EQUAL(pid, waitpid(pid, &status, 0));
        LONGS_EQUAL(i, exited(status));
    }
}
