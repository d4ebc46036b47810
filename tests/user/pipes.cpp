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

TEST(Pipes, the_end_comes_only_when_every_writer_has_closed) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    Gate gate;
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        gate.pass();
        write(ends[1], "late", 4);
        _exit(0);
    }
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    char text[8] = "";
    errno = 0;
    const int while_open = read(ends[0], text, sizeof text);
    const int error = errno;
    fcntl(ends[0], F_SETFL, 0);
    gate.open();
    const int late = read(ends[0], text, sizeof text), end = read(ends[0], text, sizeof text);
    close(ends[0]);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(-1, while_open);
    LONGS_EQUAL(EAGAIN, error);
    LONGS_EQUAL(4, late);
    LONGS_EQUAL(0, end);
}

TEST(Pipes, a_reader_that_waits_sees_the_end_when_the_last_writer_is_killed) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    close(ends[1]);
    const pid_t killer = fork();
    if (killer == 0) {
        usleep(5'000);
        kill(pid, SIGKILL);
        _exit(0);
    }
    char byte;
    const int result = read(ends[0], &byte, 1);
    close(ends[0]);
    waitpid(pid, nullptr, 0);
    waitpid(killer, nullptr, 0);
    LONGS_EQUAL(0, result);
}

TEST(Pipes, a_writer_that_waits_gets_EPIPE_when_the_last_reader_closes) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        static char block[4096];
        while (write(ends[1], block, sizeof block) != -1) {
        }
        _exit(errno);
    }
    close(ends[1]);
    const bool waits = wait_for_state(pid, FL_PROC_SLEEPING);
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    CHECK(waits);
    LONGS_EQUAL(EPIPE, exited(status));
}

TEST(Pipes, a_full_one_with_O_NONBLOCK_is_EAGAIN_and_takes_no_part_of_PIPE_BUF) {
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    static char block[FORKLORE_PIPE_BUF];
    long total = 0;
    for (int length; (length = write(ends[1], block, 1000)) > 0;) {
        total += length;
    }
    const int error = errno;
    errno = 0;
    const int whole = write(ends[1], block, sizeof block);
    const int whole_error = errno;
    long got = 0;
    for (int length; (length = read(ends[0], block, sizeof block)) > 0;) {
        got += length;
    }
    close(ends[0]);
    close(ends[1]);
    LONGS_EQUAL(EAGAIN, error);
    LONGS_EQUAL(-1, whole);
    LONGS_EQUAL(EAGAIN, whole_error);
    LONGS_EQUAL(total, got);
    CHECK(total >= FORKLORE_PIPE_BUF);
}

TEST(Pipes, writes_of_up_to_PIPE_BUF_are_not_mixed) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    constexpr int writers = 4, rounds = 20, length = 3000;
    for (int i = 0; i < writers; ++i) {
        if (fork() == 0) {
            static char block[length];
            memset(block, 'a' + i, length);
            for (int round = 0; round < rounds; ++round) {
                write(ends[1], block, length);
            }
            _exit(0);
        }
    }
    close(ends[1]);
    static char block[length];
    int mixed = 0, whole = 0;
    for (;;) {
        int filled = 0;
        for (int got; filled < length && (got = read(ends[0], block + filled, static_cast<size_t>(length - filled))) > 0;) {
            filled += got;
        }
        if (filled != length) {
            break;
        }
        ++whole;
        for (const char byte : block) {
            mixed += byte != block[0];
        }
    }
    close(ends[0]);
    while (wait(nullptr) > 0) {
    }
    LONGS_EQUAL(writers * rounds, whole);
    LONGS_EQUAL(0, mixed);
}

TEST(Pipes, the_wrong_end_is_EBADF) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    char byte = 0;
    errno = 0;
    const int written = write(ends[0], &byte, 1), write_error = errno;
    errno = 0;
    const int got = read(ends[1], &byte, 1), read_error = errno;
    close(ends[0]);
    close(ends[1]);
    LONGS_EQUAL(-1, written);
    LONGS_EQUAL(EBADF, write_error);
    LONGS_EQUAL(-1, got);
    LONGS_EQUAL(EBADF, read_error);
}
