// Pipes.
#include "user/support/support.h"

#include <poll.h>

TEST_GROUP(Pipes) {};

TEST(Pipes, what_goes_in_comes_out) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    LONGS_EQUAL(3, write(ends[1], "abc", 3));
    char text[4] = "";
    LONGS_EQUAL(3, read(ends[0], text, 3));
    close(ends[0]);
    close(ends[1]);
    LONGS_EQUAL(0, strcmp(text, "abc"));
}

TEST(Pipes, a_reader_without_writers_sees_the_end) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    close(ends[1]);
    char byte;
    LONGS_EQUAL(0, read(ends[0], &byte, 1));
    close(ends[0]);
}

TEST(Pipes, a_writer_without_readers_gets_EPIPE_and_SIGPIPE) {
    LONGS_EQUAL(SIGPIPE, killed_by(in_child([] {
        int ends[2];
        pipe(ends);
        close(ends[0]);
        return write(ends[1], "x", 1);
    })));
    LONGS_EQUAL(EPIPE, exited(in_child([] {
        int ends[2];
        pipe(ends);
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        return write(ends[1], "x", 1) == -1 ? errno : 0;
    })));
}

TEST(Pipes, a_full_pipe_blocks_its_writer_until_somebody_reads) {
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
    LONGS_EQUAL(total, got);
    LONGS_EQUAL(0, exited(status));
}

TEST(Pipes, an_empty_pipe_with_O_NONBLOCK_is_EAGAIN) {
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    char byte;
    errno = 0;
    const int result = read(ends[0], &byte, 1);
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EAGAIN, error);
}

TEST(Pipes, a_pipe_cannot_seek) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    errno = 0;
    const long result = lseek(ends[0], 0, SEEK_SET);
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(ESPIPE, error);
}

TEST(Pipes, poll_tells_which_end_is_ready) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct pollfd both[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
    LONGS_EQUAL(1, poll(both, 2, 0));
    LONGS_EQUAL(0, both[0].revents);
    LONGS_EQUAL(POLLOUT, both[1].revents);
    write(ends[1], "x", 1);
    LONGS_EQUAL(2, poll(both, 2, 1000));
    close(ends[0]);
    close(ends[1]);
}

TEST(Pipes, a_bad_address_for_the_descriptors_is_EFAULT_and_leaves_none_open) {
    FAILS_WITH(EFAULT, pipe(reinterpret_cast<int*>(8)));
}
