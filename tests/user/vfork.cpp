// vfork: the child borrows the parent's memory until it execs or exits.
#include "support.h"

static volatile int shared = 0;

TEST("the parent sees what the child wrote") {
    shared = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        shared = 21;
        _exit(3);
    }
    CHECK(pid > 0);
    EQUAL(21, shared);
    int status;
    EQUAL(pid, waitpid(pid, &status, 0));
    EQUAL(3, exited(status));
}

TEST("the child has a pid of its own") {
    const pid_t parent = getpid();
    shared = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        shared = getpid();
        _exit(0);
    }
    EQUAL(pid, shared);
    CHECK(pid != parent);
    EQUAL(parent, getpid());
    EQUAL(pid, waitpid(pid, nullptr, 0));
}

TEST("a program takes over and the parent goes on") {
    const pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/false", "false", nullptr);
        _exit(99);
    }
    int status;
    EQUAL(pid, waitpid(pid, &status, 0));
    EQUAL(1, exited(status));
}

TEST("after a failed exec the child still runs") {
    shared = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        execl("/no/such/program", "program", nullptr);
        shared = errno;
        _exit(55);
    }
    EQUAL(ENOENT, shared);
    int status;
    EQUAL(pid, waitpid(pid, &status, 0));
    EQUAL(55, exited(status));
}

TEST("descriptors that the child closes stay open in the parent") {
    const int fd = open("/dev/null", O_RDWR);
    const pid_t pid = vfork();
    if (pid == 0) {
        close(fd);
        _exit(0);
    }
    waitpid(pid, nullptr, 0);
    const int flags = fcntl(fd, F_GETFD);
    close(fd);
    EQUAL(0, flags);
}

TEST("a vfork inside of a vfork is refused") {
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
    EQUAL(pid, waitpid(pid, nullptr, 0));
    EQUAL(EINVAL, shared);
}

TEST("a hundred in a row leave nothing") {
    for (int i = 0; i < 100; ++i) {
        const pid_t pid = vfork();
        if (pid == 0) {
            _exit(i);
        }
        int status;
        EQUAL(pid, waitpid(pid, &status, 0));
        EQUAL(i, exited(status));
    }
}
