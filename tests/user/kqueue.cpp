// Queues of events as programs see them.
#include "user/support/support.h"

#include <poll.h>
#include <spawn.h>
#include <sys/event.h>
#include <sys/syscall.h>
#include <time.h>

static int queue = -1;
static constexpr struct timespec at_once = {0, 0};

static int change(uintptr_t ident, int filter, int flags, unsigned notes = 0, intptr_t data = 0) {
    struct kevent event;
    EV_SET(&event, ident, static_cast<int16_t>(filter), static_cast<uint16_t>(flags), notes, data, &queue);
    return kevent(queue, &event, 1, nullptr, 0, nullptr);
}
// The next event; its filter is 0 if there is none, or none came in time.
static struct kevent next(const struct timespec* timeout = nullptr) {
    struct kevent event = {};
    if (kevent(queue, nullptr, 0, &event, 1, timeout) != 1) {
        event = {};
    }
    return event;
}

TEST_GROUP(Kqueue) {
    int ends[2];
    void setup() override {
        queue = kqueue();
        pipe(ends);
    }
    void teardown() override {
        close(queue);
        close(ends[0]);
        close(ends[1]);
    }
    // A child that runs `body` when it is let go.
    template <typename Body>
    pid_t waiting_child(Body body) {
        const pid_t pid = fork();
        if (pid == 0) {
            char byte;
            close(ends[1]);
            read(ends[0], &byte, 1);
            _exit(body());
        }
        return pid;
    }
    void let_go() { write(ends[1], "x", 1); }
};

TEST(Kqueue, tells_of_an_exit_with_the_wait_status_and_then_no_more) {
    const pid_t pid = waiting_child([] { return 7; });
    LONGS_EQUAL(0, change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXIT));
    LONGS_EQUAL(0, next(&at_once).filter);
    let_go();
    const struct kevent event = next();
    LONGS_EQUAL(EVFILT_PROC, event.filter);
    LONGS_EQUAL(pid, event.ident);
    CHECK((event.fflags & NOTE_EXIT) != 0 && (event.flags & EV_EOF) != 0);
    LONGS_EQUAL(7, exited(static_cast<int>(event.data)));
    POINTERS_EQUAL(&queue, event.udata);
    LONGS_EQUAL(pid, waitpid(pid, nullptr, WNOHANG));       // it is a zombie when it is told of
    FAILS_WITH(ENOENT, change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_DELETE));
}

TEST(Kqueue, tells_of_a_fork_with_the_pid_of_the_child) {
    const pid_t pid = waiting_child([] {
        const pid_t grandchild = fork();
        if (grandchild == 0) {
            _exit(0);
        }
        int status;
        waitpid(grandchild, &status, 0);
        write(STDERR_FILENO, "", 0);
        return grandchild % 256;
    });
    change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_FORK);
    let_go();
    const struct kevent event = next();
    int status = -1;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(NOTE_FORK, event.fflags);
    LONGS_EQUAL(exited(status), event.data % 256);
}

TEST(Kqueue, tells_of_a_fork_by_vfork_and_by_spawn_too) {
    change(static_cast<uintptr_t>(getpid()), EVFILT_PROC, EV_ADD, NOTE_FORK);
    pid_t pid = vfork();
    if (pid == 0) {
        _exit(0);
    }
    LONGS_EQUAL(pid, next(&at_once).data);
    waitpid(pid, nullptr, 0);
    char name[] = "true";
    char* const arguments[] = {name, nullptr};
    LONGS_EQUAL(0, posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments, nullptr));
    LONGS_EQUAL(pid, next(&at_once).data);
    waitpid(pid, nullptr, 0);
}

TEST(Kqueue, tells_of_an_exec_and_of_the_exit_that_follows) {
    const pid_t pid = waiting_child([] { return execl("/bin/false", "false", nullptr); });
    change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXEC | NOTE_EXIT);
    let_go();
    unsigned told = 0;
    while ((told & NOTE_EXIT) == 0) {
        told |= next().fflags;
    }
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(NOTE_EXEC | NOTE_EXIT, told);
}

TEST(Kqueue, does_not_tell_of_what_was_not_asked_for) {
    const pid_t pid = waiting_child([] { return 0; });
    change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXEC);
    let_go();
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(0, next(&at_once).filter);
    FAILS_WITH(ESRCH, change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXIT));
}

TEST(Kqueue, of_a_zombie_is_ESRCH) {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK(wait_for_state(pid, FL_PROC_ZOMBIE));
    FAILS_WITH(ESRCH, change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXIT));
    waitpid(pid, nullptr, 0);
}

TEST(Kqueue, tells_that_a_pipe_can_be_read_and_how_much_of_it_until_it_is_read) {
    change(static_cast<uintptr_t>(ends[0]), EVFILT_READ, EV_ADD);
    LONGS_EQUAL(0, next(&at_once).filter);
    write(ends[1], "four", 4);
    LONGS_EQUAL(4, next().data);
    LONGS_EQUAL(4, next().data);
    char bytes[4];
    read(ends[0], bytes, 4);
    LONGS_EQUAL(0, next(&at_once).filter);
}

TEST(Kqueue, tells_that_the_other_end_of_a_pipe_was_closed) {
    int others[2];
    pipe(others);
    change(static_cast<uintptr_t>(others[0]), EVFILT_READ, EV_ADD);
    close(others[1]);
    const struct kevent at_reader = next(&at_once);
    close(others[0]);
    LONGS_EQUAL(EVFILT_READ, at_reader.filter);
    CHECK((at_reader.flags & EV_EOF) != 0);
}

TEST(Kqueue, tells_when_a_full_pipe_can_be_written_again) {
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    change(static_cast<uintptr_t>(ends[1]), EVFILT_WRITE, EV_ADD);
    LONGS_EQUAL(EVFILT_WRITE, next(&at_once).filter);
    static char bytes[4096];
    while (write(ends[1], bytes, sizeof bytes) > 0) {
    }
    LONGS_EQUAL(0, next(&at_once).filter);
    read(ends[0], bytes, sizeof bytes);
    LONGS_EQUAL(EVFILT_WRITE, next(&at_once).filter);
}

TEST(Kqueue, wakes_who_sleeps_when_another_process_writes) {
    const pid_t pid = fork();
    if (pid == 0) {
        usleep(10'000);
        write(ends[1], "x", 1);
        _exit(0);
    }
    change(static_cast<uintptr_t>(ends[0]), EVFILT_READ, EV_ADD);
    LONGS_EQUAL(1, next().data);
    waitpid(pid, nullptr, 0);
}

TEST(Kqueue, forgets_a_descriptor_that_is_closed) {
    const int copy = dup(ends[0]);
    change(static_cast<uintptr_t>(copy), EVFILT_READ, EV_ADD);
    close(copy);
    write(ends[1], "x", 1);
    LONGS_EQUAL(0, next(&at_once).filter);
    FAILS_WITH(ENOENT, change(static_cast<uintptr_t>(copy), EVFILT_READ, EV_DELETE));
}

TEST(Kqueue, has_timers_that_ring_again_and_again_or_once) {
    change(1, EVFILT_TIMER, EV_ADD, 0, 1);
    change(2, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_USECONDS, 500);
    long rings = 0, once = 0;
    while (rings < 3 || once == 0) {
        const struct kevent event = next();
        (event.ident == 1 ? rings : once) += event.data;
    }
    LONGS_EQUAL(1, once);
    FAILS_WITH(ENOENT, change(2, EVFILT_TIMER, EV_DELETE));
    LONGS_EQUAL(0, change(1, EVFILT_TIMER, EV_DELETE));
    FAILS_WITH(EINVAL, change(1, EVFILT_TIMER, EV_ADD, 0, -1));
}

TEST(Kqueue, waits_no_longer_than_it_is_told_to) {
    constexpr struct timespec soon = {0, 5'000'000};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    LONGS_EQUAL(0, next(&soon).filter);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK((after.tv_sec - before.tv_sec) * 1'000'000'000 + after.tv_nsec - before.tv_nsec >= 5'000'000);
}

TEST(Kqueue, says_nothing_of_a_disabled_note_and_once_of_a_oneshot) {
    write(ends[1], "x", 1);
    change(static_cast<uintptr_t>(ends[0]), EVFILT_READ, EV_ADD | EV_DISABLE);
    LONGS_EQUAL(0, next(&at_once).filter);
    change(static_cast<uintptr_t>(ends[0]), EVFILT_READ, EV_ENABLE);
    LONGS_EQUAL(EVFILT_READ, next(&at_once).filter);
    change(static_cast<uintptr_t>(ends[0]), EVFILT_READ, EV_ADD | EV_ONESHOT);
    LONGS_EQUAL(EVFILT_READ, next(&at_once).filter);
    LONGS_EQUAL(0, next(&at_once).filter);
}

TEST(Kqueue, tells_the_error_of_each_change_for_which_there_is_room) {
    struct kevent changes[3], events[3] = {};
    EV_SET(&changes[0], 77, EVFILT_READ, EV_ADD, 0, 0, nullptr);
    EV_SET(&changes[1], ends[0], EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, nullptr);
    EV_SET(&changes[2], 1, 99, EV_ADD, 0, 0, nullptr);
    LONGS_EQUAL(3, kevent(queue, changes, 3, events, 3, nullptr));
    LONGS_EQUAL(EBADF, events[0].data);
    LONGS_EQUAL(0, events[1].data);
    LONGS_EQUAL(EINVAL, events[2].data);
    CHECK((events[0].flags & events[1].flags & events[2].flags & EV_ERROR) != 0);
    FAILS_WITH(EBADF, kevent(queue, changes, 1, nullptr, 0, nullptr));
}

TEST(Kqueue, is_not_inherited_by_fork_and_kept_over_exec) {
    const int copy = dup(queue);
    change(static_cast<uintptr_t>(ends[0]), EVFILT_READ, EV_ADD);
    write(ends[1], "x", 1);
    const int status = in_child([copy] {
        struct kevent event;
        LEAVE_UNLESS(kevent(queue, nullptr, 0, &event, 1, &at_once) == -1 && errno == EBADF);
        LEAVE_UNLESS(fcntl(copy, F_GETFD) == -1 && errno == EBADF);
        return 0;
    });
    close(copy);
    LONGS_EQUAL(0, exited(status));
    LONGS_EQUAL(EVFILT_READ, next(&at_once).filter);
}

ROLE(uses_the_queue_it_was_left) {
    queue = atoi(getenv("QUEUE"));
    const struct kevent event = next(&at_once);
    return event.filter == EVFILT_TIMER ? 0 : 1;
}

TEST(Kqueue, is_kept_over_exec_with_what_it_waits_for) {
    LONGS_EQUAL(0, exited(in_child([] {
        queue = kqueue();
        change(5, EVFILT_TIMER, EV_ADD, NOTE_USECONDS, 100);
        struct pollfd poller = {queue, POLLIN, 0};
        LEAVE_UNLESS(poll(&poller, 1, -1) == 1);        // and poll says that there is something
        char number[12];
        snprintf(number, sizeof number, "%d", queue);
        setenv("QUEUE", number, 1);
        return become("uses_the_queue_it_was_left");
    })));
}

TEST(Kqueue, is_watched_by_no_other_queue) {
    const int other = kqueue();
    FAILS_WITH(ENOTSUP, change(static_cast<uintptr_t>(other), EVFILT_READ, EV_ADD));
    FAILS_WITH(ENOTSUP, change(static_cast<uintptr_t>(queue), EVFILT_READ, EV_ADD));
    close(other);
}

TEST(Kqueue, refuses_what_is_none_and_what_is_nowhere) {
    struct kevent event;
    FAILS_WITH(EBADF, kevent(ends[0], nullptr, 0, &event, 1, &at_once));
    FAILS_WITH(EINVAL, kevent(queue, nullptr, -1, &event, 1, &at_once));
    FAILS_WITH(EFAULT, syscall(SYS_kevent, queue, 8, 1, 0, 0, 0));
    FAILS_WITH(EFAULT, syscall(SYS_kevent, queue, 0, 0, &event, 1, 8));
    write(ends[1], "x", 1);
    change(static_cast<uintptr_t>(ends[0]), EVFILT_READ, EV_ADD);
    FAILS_WITH(EFAULT, syscall(SYS_kevent, queue, 0, 0, 0xffff'ff80'0008'0000, 1, &at_once));
    constexpr ForkloreTime bad = {0, -1};
    FAILS_WITH(EINVAL, syscall(SYS_kevent, queue, 0, 0, &event, 1, &bad));
    FAILS_WITH(EINVAL, change(static_cast<uintptr_t>(getpid()), EVFILT_PROC, EV_ADD, 1));
}

TEST(Kqueue, ends_its_sleep_for_a_signal) {
    struct sigaction action = {}, old;
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, &old);
    ualarm(10'000, 10'000);     // again and again: one may come before the sleep
    struct kevent event;
    errno = 0;
    const int result = kevent(queue, nullptr, 0, &event, 1, nullptr), error = errno;
    ualarm(0, 0);
    sigaction(SIGALRM, &old, nullptr);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EINTR, error);
}

TEST(Kqueue, has_as_many_notes_as_may_be) {
    unsigned made = 0;
    while (change(made, EVFILT_TIMER, EV_ADD, NOTE_SECONDS, 1000) == 0) {
        ++made;
    }
    LONGS_EQUAL(ENOMEM, errno);
    LONGS_EQUAL(256, made);
}
