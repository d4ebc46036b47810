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

// --- stops and kills while the thread is on loan ---

// A child of the test lends its thread to a child of its own, which stops on the loan.
struct StoppedOnLoan {
    pid_t parent = -1, child = -1;

    // `at_home` runs in the parent when its thread is back; its result is the parent's status.
    template <typename AtHome>
    explicit StoppedOnLoan(AtHome at_home) {
        int told[2];
        pipe(told);
        parent = fork();
        if (parent == 0) {
            const pid_t pid = vfork();
            if (pid == 0) {
                const pid_t self = getpid();
                write(told[1], &self, sizeof self);
                raise(SIGSTOP);
                _exit(1);
            }
            _exit(at_home(pid));
        }
        read(told[0], &child, sizeof child);
        close(told[0]);
        close(told[1]);
        wait_for_state(child, FL_PROC_STOPPED);
    }
};

TEST(Vfork, a_kill_of_the_parent_ends_a_child_that_is_stopped_on_the_loan) {
    StoppedOnLoan family([](pid_t) { return 1; });
    LONGS_EQUAL(0, kill(family.parent, SIGKILL));
    int status;
    LONGS_EQUAL(family.parent, waitpid(family.parent, &status, 0));
    LONGS_EQUAL(SIGKILL, killed_by(status));
    while (kill(family.child, 0) == 0) {        // init collects it
        usleep(1000);
    }
}

TEST(Vfork, a_kill_of_the_child_that_is_stopped_on_the_loan_gives_the_thread_back) {
    StoppedOnLoan family([](pid_t pid) {
        int status = 0;
        return waitpid(pid, &status, 0) == pid && killed_by(status) == SIGKILL ? 42 : 1;
    });
    LONGS_EQUAL(0, kill(family.child, SIGKILL));
    int status;
    LONGS_EQUAL(family.parent, waitpid(family.parent, &status, 0));
    LONGS_EQUAL(42, exited(status));
}

TEST(Vfork, a_parent_that_is_stopped_while_its_thread_is_lent_stops_when_it_is_back) {
    Gate lent, go_on;
    const pid_t parent = fork();
    if (parent == 0) {
        if (vfork() == 0) {
            lent.open();
            go_on.pass();
            _exit(0);
        }
        wait(nullptr);
        _exit(7);
    }
    lent.pass();
    LONGS_EQUAL(0, kill(parent, SIGSTOP));
    go_on.open();
    int status;
    LONGS_EQUAL(parent, waitpid(parent, &status, WUNTRACED));
    LONGS_EQUAL(SIGSTOP, stopped_by(status));
    LONGS_EQUAL(0, kill(parent, SIGCONT));
    LONGS_EQUAL(parent, waitpid(parent, &status, 0));
    LONGS_EQUAL(7, exited(status));
}
