// Pipes.
#include "support.h"

#include <poll.h>

TEST("what goes in comes out") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    EQUAL(3, write(ends[1], "abc", 3));
    char text[4] = "";
    EQUAL(3, read(ends[0], text, 3));
    close(ends[0]);
    close(ends[1]);
    EQUAL(0, strcmp(text, "abc"));
}

TEST("a reader without writers sees the end") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    close(ends[1]);
    char byte;
    EQUAL(0, read(ends[0], &byte, 1));
    close(ends[0]);
}

TEST("a writer without readers gets EPIPE and SIGPIPE") {
    EQUAL(SIGPIPE, killed_by(in_child([] {
        int ends[2];
        pipe(ends);
        close(ends[0]);
        return write(ends[1], "x", 1);
    })));
    EQUAL(EPIPE, exited(in_child([] {
        int ends[2];
        pipe(ends);
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        return write(ends[1], "x", 1) == -1 ? errno : 0;
    })));
}

TEST("a full pipe blocks its writer until somebody reads") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    constexpr int total = 200000;
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        static char block[1000];
        for (int sent = 0; sent < total; sent += 1000) {
            if (write(ends[1], block, 1000) != 1000) {
                _exit(1);
            }
        }
        _exit(0);
    }
    close(ends[1]);
    static char buffer[4096];
    int got = 0;
    for (int length; (length = read(ends[0], buffer, sizeof buffer)) > 0;) {
        got += length;
    }
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    EQUAL(total, got);
    EQUAL(0, exited(status));
}

TEST("an empty pipe with O_NONBLOCK is EAGAIN") {
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    char byte;
    errno = 0;
    const int result = read(ends[0], &byte, 1);
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    EQUAL(-1, result);
    EQUAL(EAGAIN, error);
}

TEST("a pipe cannot seek") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    errno = 0;
    const long result = lseek(ends[0], 0, SEEK_SET);
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    EQUAL(-1, result);
    EQUAL(ESPIPE, error);
}

TEST("poll tells which end is ready") {
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct pollfd both[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
    EQUAL(1, poll(both, 2, 0));
    EQUAL(0, both[0].revents);
    EQUAL(POLLOUT, both[1].revents);
    write(ends[1], "x", 1);
    EQUAL(2, poll(both, 2, 1000));
    close(ends[0]);
    close(ends[1]);
}

TEST("a bad address for the descriptors is EFAULT and leaves none open") {
    FAILS_WITH(EFAULT, pipe(reinterpret_cast<int*>(8)));
}
