// What a thread that vfork has lent keeps for its parent, and how a loan ends.
#include "user/support/support.h"

#include <new>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static volatile int shared = 0;

// Shared memory on which the processes of a test tell each other how far they are.
struct Board {
    volatile int stage, seen, count;
};
// Mapped and touched before any test, so that no ledger has it as a difference.
static Board* make_board() {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return new (page) Board{};
}
static Board* const the_board = make_board();
static Board* board() { return the_board; }
static void wait_for_stage(int stage) {
    while (board()->stage < stage) {
        usleep(500);
    }
}

TEST_GROUP(Loan) {
    void setup() override { new (board()) Board{}; }
};

TEST(Loan, the_parent_waits_until_the_child_is_done_with_its_memory) {
    const pid_t pid = vfork();
    if (pid == 0) {
        usleep(10'000);
        shared = 77;
        _exit(0);
    }
    const int seen = shared;
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(77, seen);
}

TEST(Loan, the_childs_parent_is_the_lender) {
    const pid_t parent = getpid();
    const pid_t pid = vfork();
    if (pid == 0) {
        _exit(getppid() == parent ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(0, exited(status));
    LONGS_EQUAL(parent, getpid());
}

TEST(Loan, directory_umask_and_nice_level_that_the_child_sets_are_its_own) {
    chdir("/");
    const mode_t mask = umask(022);
    const pid_t pid = vfork();
    if (pid == 0) {
        chdir("/tmp");
        umask(077);
        nice(5);
        _exit(0);
    }
    waitpid(pid, nullptr, 0);
    char path[32] = "";
    getcwd(path, sizeof path);
    const mode_t after = umask(mask);
    STRCMP_EQUAL("/", path);
    LONGS_EQUAL(022, after);
    LONGS_EQUAL(0, getpriority(PRIO_PROCESS, 0));
}

TEST(Loan, the_user_that_the_child_becomes_is_its_own) {
    const pid_t pid = vfork();
    if (pid == 0) {
        _exit(setuid(1000) == 0 && getuid() == 1000 ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(0, exited(status));
    LONGS_EQUAL(0, getuid());
    LONGS_EQUAL(0, geteuid());
}

TEST(Loan, signal_actions_and_mask_that_the_child_sets_are_its_own) {
    const pid_t pid = vfork();
    if (pid == 0) {
        signal(SIGUSR1, SIG_IGN);
        sigset_t set;
        sigfillset(&set);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        _exit(0);
    }
    waitpid(pid, nullptr, 0);
    sigset_t now;
    struct sigaction action;
    sigprocmask(SIG_BLOCK, nullptr, &now);
    sigaction(SIGUSR1, nullptr, &action);
    LONGS_EQUAL(0, now);
    CHECK(action.sa_handler == SIG_DFL);
}

TEST(Loan, limits_that_the_child_sets_are_its_own) {
    struct rlimit before, after;
    getrlimit(RLIMIT_NOFILE, &before);
    const pid_t pid = vfork();
    if (pid == 0) {
        const struct rlimit limit = {5, 5};
        setrlimit(RLIMIT_NOFILE, &limit);
        _exit(0);
    }
    waitpid(pid, nullptr, 0);
    getrlimit(RLIMIT_NOFILE, &after);
    LONGS_EQUAL(before.rlim_cur, after.rlim_cur);
}

TEST(Loan, the_child_has_no_children_of_its_parents) {
    Gate gate;
    const pid_t other = fork();
    if (other == 0) {
        gate.pass();
        _exit(0);
    }
    const pid_t pid = vfork();
    if (pid == 0) {
        _exit(wait(nullptr) == -1 ? errno : 0);
    }
    int status;
    waitpid(pid, &status, 0);
    gate.open();
    waitpid(other, nullptr, 0);
    LONGS_EQUAL(ECHILD, exited(status));
}

TEST(Loan, the_child_may_fork_and_wait) {
    const pid_t pid = vfork();
    if (pid == 0) {
        _exit(exited(in_child([] { return 12; })));
    }
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(12, exited(status));
}

TEST(Loan, a_failed_exec_may_be_followed_by_one_that_succeeds) {
    const pid_t pid = vfork();
    if (pid == 0) {
        execl("/nowhere/true", "true", nullptr);
        execl("/bin", "bin", nullptr);
        execl("/bin/true", "true", nullptr);
        _exit(99);
    }
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(0, exited(status));
}

TEST(Loan, the_parents_memory_is_untouched_by_the_childs_program) {
    static char block[100'000];
    memset(block, 'p', sizeof block);
    const pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "x=$(seq 1000); exit 3", nullptr);
        _exit(99);
    }
    int status, damaged = 0;
    waitpid(pid, &status, 0);
    for (const char byte : block) {
        damaged += byte != 'p';
    }
    LONGS_EQUAL(3, exited(status));
    LONGS_EQUAL(0, damaged);
}

TEST(Loan, a_child_that_kills_itself_ends_the_loan) {
    const pid_t pid = vfork();
    if (pid == 0) {
        kill(getpid(), SIGKILL);
        _exit(0);
    }
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(SIGKILL, killed_by(status));
}

TEST(Loan, a_child_that_faults_ends_the_loan) {
    const pid_t pid = vfork();
    if (pid == 0) {
        uintptr_t address = 16;
        asm("" : "+r"(address));
        _exit(*reinterpret_cast<volatile int*>(address));
    }
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(SIGSEGV, killed_by(status));
}

// A process that lends its thread to a child, which tells its pid in `seen` and waits for ever.
static pid_t lender(int (*afterwards)(pid_t, int)) {
    const pid_t pid = fork();
    if (pid == 0) {
        const pid_t child = vfork();
        if (child == 0) {
            board()->seen = getpid();
            board()->stage = 1;
            for (;;) {
                usleep(1'000);
            }
        }
        int status = -1;
        waitpid(child, &status, 0);
        _exit(afterwards(child, status));
    }
    wait_for_stage(1);
    return pid;
}

TEST(Loan, a_kill_of_the_child_from_elsewhere_ends_the_loan) {
    const pid_t pid = lender([](pid_t, int status) { return killed_by(status); });
    kill(board()->seen, SIGTERM);
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(SIGTERM, exited(status));
}

TEST(Loan, a_kill_of_the_parent_ends_the_child_too) {
    const pid_t pid = lender([](pid_t, int) { return 0; });
    const pid_t child = board()->seen;
    kill(pid, SIGKILL);
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(SIGKILL, killed_by(status));
    for (int i = 0; i < 5'000 && kill(child, 0) == 0; ++i) {
        usleep(1'000);
    }
    FAILS_WITH(ESRCH, kill(child, 0));
}

TEST(Loan, a_signal_to_the_parent_waits_until_the_thread_is_back) {
    const pid_t pid = fork();
    if (pid == 0) {
        signal(SIGUSR1, [](int) { board()->seen = board()->stage; });
        const pid_t child = vfork();
        if (child == 0) {
            board()->stage = 1;
            wait_for_stage(2);
            usleep(5'000);
            board()->stage = 3;
            _exit(board()->seen);       // the handler must not have run on loan
        }
        int status = -1;
        waitpid(child, &status, 0);
        _exit(exited(status));
    }
    wait_for_stage(1);
    kill(pid, SIGUSR1);
    board()->stage = 2;
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(0, exited(status));
    LONGS_EQUAL(3, board()->seen);
}

TEST(Loan, a_signal_to_the_child_is_handled_by_the_child) {
    const pid_t pid = fork();
    if (pid == 0) {
        const pid_t child = vfork();
        if (child == 0) {
            signal(SIGUSR1, [](int) { board()->count = getpid(); });
            board()->seen = getpid();
            board()->stage = 1;
            while (board()->count == 0) {
                usleep(1'000);
            }
            _exit(board()->count == getpid() ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        _exit(exited(status));
    }
    wait_for_stage(1);
    kill(board()->seen, SIGUSR1);
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(0, exited(status));
}

TEST(Loan, a_stopped_child_on_loan_is_told_to_nobody_but_its_parent_and_goes_on) {
    const pid_t pid = lender([](pid_t, int status) { return killed_by(status); });
    const pid_t child = board()->seen;
    kill(child, SIGSTOP);
    const bool stopped = wait_for_state(child, FL_PROC_STOPPED) || state_of(child) == FL_PROC_LENT;
    kill(child, SIGCONT);
    kill(child, SIGTERM);
    int status;
    waitpid(pid, &status, 0);
    CHECK(stopped);
    LONGS_EQUAL(SIGTERM, exited(status));
}

TEST(Loan, the_parents_other_threads_go_on) {
    LONGS_EQUAL(0, exited(in_child([] {
        pthread_t thread;
        pthread_create(&thread, nullptr, [](void*) -> void* {
            for (;;) {
                board()->count = board()->count + 1;
                sched_yield();
            }
        }, nullptr);
        const pid_t child = vfork();
        if (child == 0) {
            const int before = board()->count;
            while (board()->count < before + 10) {
                usleep(500);
            }
            _exit(4);
        }
        int status = -1;
        waitpid(child, &status, 0);
        return exited(status) == 4 ? 0 : 1;
    })));
}

TEST(Loan, another_thread_may_exit_the_process_while_one_is_lent) {
    LONGS_EQUAL(6, exited(in_child([] {
        pthread_t thread;
        pthread_create(&thread, nullptr, [](void*) -> void* {
            wait_for_stage(1);
            _exit(6);
        }, nullptr);
        const pid_t child = vfork();
        if (child == 0) {
            board()->stage = 1;
            for (;;) {
                usleep(1'000);
            }
        }
        for (;;) {
            pause();
        }
        return 0;
    })));
}

TEST(Loan, two_threads_may_lend_themselves_at_once) {
    LONGS_EQUAL(0, exited(in_child([] {
        const auto borrow = [](void*) -> void* {
            const pid_t child = vfork();
            if (child == 0) {
                __atomic_fetch_add(&board()->count, 1, __ATOMIC_RELAXED);
                while (board()->count < 2) {
                    usleep(500);
                }
                _exit(0);
            }
            waitpid(child, nullptr, 0);
            return nullptr;
        };
        pthread_t threads[2];
        for (pthread_t& thread : threads) {
            pthread_create(&thread, nullptr, borrow, nullptr);
        }
        for (const pthread_t thread : threads) {
            pthread_join(thread, nullptr);
        }
        return board()->count == 2 ? 0 : 1;
    })));
}

TEST(Loan, the_child_on_loan_cannot_make_threads) {
    const pid_t pid = vfork();
    if (pid == 0) {
        static char stack[4096] __attribute__((aligned(16)));
        const long made = syscall(SYS_thread_create, _exit, 0, stack + sizeof stack, 0);
        _exit(made == -1 ? errno : 0);
    }
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(EINVAL, exited(status));
}

TEST(Loan, floating_point_registers_are_the_parents_again) {
    asm volatile("fmov d8, #1.25" ::: "v8");
    const pid_t pid = vfork();
    if (pid == 0) {
        asm volatile("fmov d8, #2.0" ::: "v8");
        _exit(0);
    }
    double after;
    asm volatile("fmov %d0, d8" : "=w"(after));
    waitpid(pid, nullptr, 0);
    CHECK(after == 1.25);
}
