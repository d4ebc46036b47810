// Signals: handlers, masks, defaults.
#include "user/support/support.h"

#include <sys/time.h>

TEST_GROUP(Signals) {};

static volatile int seen = 0;
static volatile int seen_signal = 0;
static void note(int signal) {
    seen = seen + 1;
    seen_signal = signal;
}

// The compiler is not to see where it points.
static volatile int* wild_pointer(unsigned long address) {
    asm("" : "+r"(address));
    return reinterpret_cast<volatile int*>(address);
}

static void catch_signal(int number, int flags = 0) {
    struct sigaction action = {};
    action.sa_handler = note;
    action.sa_flags = flags;
    sigaction(number, &action, nullptr);
    seen = 0;
    seen_signal = 0;
}

TEST(Signals, a_handler_runs_and_the_program_goes_on) {
    catch_signal(SIGUSR1);
    LONGS_EQUAL(0, raise(SIGUSR1));
    LONGS_EQUAL(1, seen);
    LONGS_EQUAL(SIGUSR1, seen_signal);
    signal(SIGUSR1, SIG_DFL);
}

TEST(Signals, a_handler_leaves_floating_point_registers_as_they_were) {
    catch_signal(SIGUSR1);
    volatile double value = 2.25;
    raise(SIGUSR1);
    CHECK(value * 4 == 9.0);
    signal(SIGUSR1, SIG_DFL);
}

TEST(Signals, a_blocked_signal_waits_until_it_is_unblocked) {
    catch_signal(SIGUSR2);
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR2);
    const int while_blocked = seen;
    sigpending(&pending);
    const bool was_pending = sigismember(&pending, SIGUSR2);
    sigprocmask(SIG_SETMASK, &old, nullptr);
    LONGS_EQUAL(0, while_blocked);
    CHECK(was_pending);
    LONGS_EQUAL(1, seen);
    signal(SIGUSR2, SIG_DFL);
}

TEST(Signals, an_ignored_signal_does_nothing) {
    signal(SIGTERM, SIG_IGN);
    raise(SIGTERM);
    signal(SIGTERM, SIG_DFL);
}

TEST(Signals, SIGKILL_can_be_neither_caught_nor_ignored) {
    struct sigaction action = {};
    action.sa_handler = note;
    FAILS_WITH(EINVAL, sigaction(SIGKILL, &action, nullptr));
}

TEST(Signals, SIGKILL_ends_a_process_that_blocks_everything) {
    LONGS_EQUAL(SIGKILL, killed_by(in_child([] {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, nullptr);
        return kill(getpid(), SIGKILL);
    })));
}

TEST(Signals, a_wild_pointer_is_SIGSEGV) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] { return *wild_pointer(16); })));
}

TEST(Signals, writing_into_the_programs_text_is_SIGSEGV) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        *reinterpret_cast<volatile int*>(0x400000) = 0;
        return 0;
    })));
}

TEST(Signals, an_undefined_instruction_is_SIGILL) {
    LONGS_EQUAL(SIGILL, killed_by(in_child([] {
        asm volatile(".inst 0");
        return 0;
    })));
}

TEST(Signals, a_SIGSEGV_handler_is_told_the_address) {
    LONGS_EQUAL(9, exited(in_child([] {
        struct sigaction action = {};
        action.sa_sigaction = [](int, siginfo_t* info, void*) { _exit(info->si_addr == reinterpret_cast<void*>(24) ? 9 : 8); };
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &action, nullptr);
        return *wild_pointer(24);
    })));
}

TEST(Signals, SIGCHLD_comes_when_a_child_ends) {
    catch_signal(SIGCHLD, SA_RESTART);
    LONGS_EQUAL(0, exited(in_child([] { return 0; })));
    LONGS_EQUAL(1, seen);
    signal(SIGCHLD, SIG_DFL);
}

TEST(Signals, a_signal_interrupts_a_sleep) {
    catch_signal(SIGALRM);
    struct itimerval timer = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &timer, nullptr);
    const struct timespec long_time = {5, 0};
    struct timespec left = {};
    FAILS_WITH(EINTR, nanosleep(&long_time, &left));
    CHECK(left.tv_sec >= 4);
    LONGS_EQUAL(1, seen);
    signal(SIGALRM, SIG_DFL);
}

TEST(Signals, a_signal_interrupts_a_read_without_SA_RESTART) {
    catch_signal(SIGALRM);
    int ends[2];
    CHECK(pipe(ends) == 0);
    struct itimerval timer = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &timer, nullptr);
    char byte;
    errno = 0;
    const int result = read(ends[0], &byte, 1);
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EINTR, error);
    signal(SIGALRM, SIG_DFL);
}

TEST(Signals, sigsuspend_waits_with_another_mask_and_gives_the_old_one_back) {
    catch_signal(SIGUSR1);
    sigset_t set, old, none, after;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    sigemptyset(&none);
    FAILS_WITH(EINTR, sigsuspend(&none));
    sigprocmask(SIG_SETMASK, &old, &after);
    LONGS_EQUAL(1, seen);
    CHECK(sigismember(&after, SIGUSR1));
    signal(SIGUSR1, SIG_DFL);
}

TEST(Signals, kill_with_signal_0_only_asks) {
    LONGS_EQUAL(0, kill(getpid(), 0));
    FAILS_WITH(ESRCH, kill(77777, 0));
}

TEST(Signals, a_signal_that_is_none_is_EINVAL) {
    FAILS_WITH(EINVAL, kill(getpid(), 99));
}
