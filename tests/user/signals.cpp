// Signals: handlers, masks, defaults.
#include "support.h"

#include <sys/time.h>

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

TEST("a handler runs and the program goes on") {
    catch_signal(SIGUSR1);
    EQUAL(0, raise(SIGUSR1));
    EQUAL(1, seen);
    EQUAL(SIGUSR1, seen_signal);
    signal(SIGUSR1, SIG_DFL);
}

TEST("a handler leaves floating point registers as they were") {
    catch_signal(SIGUSR1);
    volatile double value = 2.25;
    raise(SIGUSR1);
    CHECK(value * 4 == 9.0);
    signal(SIGUSR1, SIG_DFL);
}

TEST("a blocked signal waits until it is unblocked") {
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
    EQUAL(0, while_blocked);
    CHECK(was_pending);
    EQUAL(1, seen);
    signal(SIGUSR2, SIG_DFL);
}

TEST("an ignored signal does nothing") {
    signal(SIGTERM, SIG_IGN);
    raise(SIGTERM);
    signal(SIGTERM, SIG_DFL);
}

TEST("SIGKILL can be neither caught nor ignored") {
    struct sigaction action = {};
    action.sa_handler = note;
    FAILS_WITH(EINVAL, sigaction(SIGKILL, &action, nullptr));
}

TEST("SIGKILL ends a process that blocks everything") {
    EQUAL(SIGKILL, killed_by(in_child([] {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, nullptr);
        return kill(getpid(), SIGKILL);
    })));
}

TEST("a wild pointer is SIGSEGV") {
    EQUAL(SIGSEGV, killed_by(in_child([] { return *wild_pointer(16); })));
}

TEST("writing into the program's text is SIGSEGV") {
    EQUAL(SIGSEGV, killed_by(in_child([] {
        *reinterpret_cast<volatile int*>(0x400000) = 0;
        return 0;
    })));
}

TEST("an undefined instruction is SIGILL") {
    EQUAL(SIGILL, killed_by(in_child([] {
        asm volatile(".inst 0");
        return 0;
    })));
}

TEST("a SIGSEGV handler is told the address") {
    EQUAL(9, exited(in_child([] {
        struct sigaction action = {};
        action.sa_sigaction = [](int, siginfo_t* info, void*) { _exit(info->si_addr == reinterpret_cast<void*>(24) ? 9 : 8); };
        action.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &action, nullptr);
        return *wild_pointer(24);
    })));
}

TEST("SIGCHLD comes when a child ends") {
    catch_signal(SIGCHLD, SA_RESTART);
    EQUAL(0, exited(in_child([] { return 0; })));
    EQUAL(1, seen);
    signal(SIGCHLD, SIG_DFL);
}

TEST("a signal interrupts a sleep") {
    catch_signal(SIGALRM);
    struct itimerval timer = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &timer, nullptr);
    const struct timespec long_time = {5, 0};
    struct timespec left = {};
    FAILS_WITH(EINTR, nanosleep(&long_time, &left));
    CHECK(left.tv_sec >= 4);
    EQUAL(1, seen);
    signal(SIGALRM, SIG_DFL);
}

TEST("a signal interrupts a read without SA_RESTART") {
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
    EQUAL(-1, result);
    EQUAL(EINTR, error);
    signal(SIGALRM, SIG_DFL);
}

TEST("sigsuspend waits with another mask and gives the old one back") {
    catch_signal(SIGUSR1);
    sigset_t set, old, none, after;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    sigemptyset(&none);
    FAILS_WITH(EINTR, sigsuspend(&none));
    sigprocmask(SIG_SETMASK, &old, &after);
    EQUAL(1, seen);
    CHECK(sigismember(&after, SIGUSR1));
    signal(SIGUSR1, SIG_DFL);
}

TEST("kill with signal 0 only asks") {
    EQUAL(0, kill(getpid(), 0));
    FAILS_WITH(ESRCH, kill(77777, 0));
}

TEST("a signal that is none is EINVAL") {
    FAILS_WITH(EINVAL, kill(getpid(), 99));
}
