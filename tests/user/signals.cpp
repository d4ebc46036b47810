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

// What each vector register holds when a system call returns behind which a handler ran.
static void registers_across_signal(const uint64_t (&before)[64], uint64_t (&after)[64]) {
    register long x0 asm("x0") = getpid();
    register long x1 asm("x1") = SIGUSR1;
    register long x8 asm("x8") = SYS_kill;
    asm volatile("mov x9, %[before]\n\t"
                 "ld1 {v0.2d-v3.2d}, [x9], #64\n\tld1 {v4.2d-v7.2d}, [x9], #64\n\t"
                 "ld1 {v8.2d-v11.2d}, [x9], #64\n\tld1 {v12.2d-v15.2d}, [x9], #64\n\t"
                 "ld1 {v16.2d-v19.2d}, [x9], #64\n\tld1 {v20.2d-v23.2d}, [x9], #64\n\t"
                 "ld1 {v24.2d-v27.2d}, [x9], #64\n\tld1 {v28.2d-v31.2d}, [x9]\n\t"
                 "svc #0\n\t"
                 "mov x9, %[after]\n\t"
                 "st1 {v0.2d-v3.2d}, [x9], #64\n\tst1 {v4.2d-v7.2d}, [x9], #64\n\t"
                 "st1 {v8.2d-v11.2d}, [x9], #64\n\tst1 {v12.2d-v15.2d}, [x9], #64\n\t"
                 "st1 {v16.2d-v19.2d}, [x9], #64\n\tst1 {v20.2d-v23.2d}, [x9], #64\n\t"
                 "st1 {v24.2d-v27.2d}, [x9], #64\n\tst1 {v28.2d-v31.2d}, [x9]"
                 : "+r"(x0)
                 : "r"(x1), "r"(x8), [before] "r"(before), [after] "r"(after)
                 : "memory", "x9", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
                   "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                   "v29", "v30", "v31");
    const long result = x0;     // at once: the next call may use the register
    LONGS_EQUAL(0, result);
}

TEST(Signals, a_handler_may_use_every_floating_point_register) {
    signal(SIGUSR1, [](int) {
        // All of them, also v8 to v15, which a function would have to give back.
        asm volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
                     "movi v\\n\\().16b, #0xff\n\t"
                     ".endr");
        seen = seen + 1;
    });
    seen = 0;
    uint64_t before[64], after[64] = {};
    for (unsigned i = 0; i < 64; ++i) {
        before[i] = i * 0x0101'0101'0101'0101;
    }
    registers_across_signal(before, after);
    LONGS_EQUAL(1, seen);
    MEMCMP_EQUAL(before, after, sizeof before);
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

// Catches `number` for the life of the object.
struct Caught {
    int number;
    struct sigaction old;
    explicit Caught(int caught, int flags = 0, void (*handler)(int) = note) : number(caught) {
        struct sigaction action = {};
        action.sa_handler = handler;
        action.sa_flags = flags;
        seen = 0;
        sigaction(number, &action, &old);
    }
    ~Caught() { sigaction(number, &old, nullptr); }
};
static sigset_t set_of(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

TEST(Signals, one_that_is_sent_twice_while_blocked_comes_once) {
    Caught caught(SIGUSR1);
    const sigset_t set = set_of(SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    LONGS_EQUAL(1, seen);
}

TEST(Signals, SIGKILL_and_SIGSTOP_cannot_be_blocked) {
    sigset_t set, now;
    sigfillset(&set);
    LONGS_EQUAL(0, sigprocmask(SIG_BLOCK, &set, nullptr));
    sigprocmask(SIG_UNBLOCK, &set, &now);
    LONGS_EQUAL(0, sigismember(&now, SIGKILL));
    LONGS_EQUAL(0, sigismember(&now, SIGSTOP));
    LONGS_EQUAL(1, sigismember(&now, SIGTERM));
}

TEST(Signals, a_signal_is_blocked_while_its_handler_runs) {
    static int depth, deepest;
    depth = deepest = 0;
    Caught caught(SIGUSR1, 0, [](int) {
        deepest = ++depth > deepest ? depth : deepest;
        if (seen == 0) {
            seen = 1;
            raise(SIGUSR1);
        }
        --depth;
    });
    raise(SIGUSR1);
    LONGS_EQUAL(1, deepest);
}

TEST(Signals, with_SA_NODEFER_a_handler_may_be_interrupted_by_its_own_signal) {
    static int depth, deepest;
    depth = deepest = 0;
    Caught caught(SIGUSR1, SA_NODEFER, [](int) {
        deepest = ++depth > deepest ? depth : deepest;
        if (seen == 0) {
            seen = 1;
            raise(SIGUSR1);
        }
        --depth;
    });
    raise(SIGUSR1);
    LONGS_EQUAL(2, deepest);
}

TEST(Signals, the_actions_mask_is_blocked_while_the_handler_runs) {
    static bool interrupted, inside;
    interrupted = inside = false;
    Caught other(SIGUSR2, 0, [](int) { interrupted = inside; });
    struct sigaction action = {}, old;
    action.sa_handler = [](int) {
        inside = true;
        raise(SIGUSR2);
        inside = false;
    };
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, &old);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &old, nullptr);
    CHECK_FALSE(interrupted);
}

TEST(Signals, with_SA_RESETHAND_the_second_time_is_the_default) {
    LONGS_EQUAL(SIGUSR1, killed_by(in_child([] {
        catch_signal(SIGUSR1, static_cast<int>(SA_RESETHAND));
        raise(SIGUSR1);
        if (seen != 1) {
            return 1;
        }
        raise(SIGUSR1);
        return 2;
    })));
}

TEST(Signals, a_child_of_fork_has_its_parents_handlers_and_mask_but_nothing_pending) {
    Caught caught(SIGUSR1);
    const sigset_t set = set_of(SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal(SIGUSR2, note);
    raise(SIGUSR2);
    const int status = in_child([] {
        sigset_t mask, pending;
        sigprocmask(SIG_BLOCK, nullptr, &mask);
        sigpending(&pending);
        raise(SIGUSR1);
        return seen == 1 && sigismember(&mask, SIGUSR2) && !sigismember(&pending, SIGUSR2) ? 0 : 1;
    });
    signal(SIGUSR2, SIG_IGN);
    signal(SIGUSR2, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    LONGS_EQUAL(0, exited(status));
}

TEST(Signals, a_blocked_signal_that_becomes_ignored_is_forgotten) {
    const sigset_t set = set_of(SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGTERM);
    signal(SIGTERM, SIG_IGN);
    sigset_t pending;
    sigpending(&pending);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    LONGS_EQUAL(0, sigismember(&pending, SIGTERM));
}

TEST(Signals, a_handler_is_told_who_sent_it) {
    static pid_t sender;
    static uid_t user;
    struct sigaction action = {}, old;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
        sender = info->si_pid;
        user = info->si_uid;
        seen = 1;
    };
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGUSR1, &action, &old);
    seen = 0;
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        kill(parent, SIGUSR1);
        _exit(0);
    }
    waitpid(pid, nullptr, 0);
    sigaction(SIGUSR1, &old, nullptr);
    LONGS_EQUAL(1, seen);
    LONGS_EQUAL(pid, sender);
    LONGS_EQUAL(0, user);
}

TEST(Signals, SIGCHLD_comes_when_a_child_stops_unless_SA_NOCLDSTOP_says_no) {
    constexpr int both[] = {SA_RESTART, SA_RESTART | SA_NOCLDSTOP};
    for (const int flags : both) {
        Caught caught(SIGCHLD, flags);
        const pid_t pid = fork();
        if (pid == 0) {
            raise(SIGSTOP);
            _exit(0);
        }
        waitpid(pid, nullptr, WUNTRACED);
        const int when_stopped = seen;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        LONGS_EQUAL((flags & SA_NOCLDSTOP) != 0 ? 0 : 1, when_stopped);
    }
}

TEST(Signals, a_stopped_process_handles_what_came_meanwhile_when_it_goes_on) {
    Gate gate;
    const pid_t pid = fork();
    if (pid == 0) {
        catch_signal(SIGUSR1);
        gate.open();
        raise(SIGSTOP);
        _exit(seen);
    }
    gate.pass();
    waitpid(pid, nullptr, WUNTRACED);
    kill(pid, SIGUSR1);
    const int state = state_of(pid);
    kill(pid, SIGCONT);
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(FL_PROC_STOPPED, state);
    LONGS_EQUAL(1, exited(status));
}

TEST(Signals, those_that_are_ignored_by_default_do_nothing) {
    raise(SIGCHLD);
    raise(SIGURG);
    raise(SIGWINCH);
    raise(SIGCONT);
}

TEST(Signals, an_alarm_is_not_inherited_and_is_kept_over_exec) {
    LONGS_EQUAL(0, exited(in_child([] {
        alarm(100);
        return exited(in_child([] { return static_cast<int>(alarm(0)); }));
    })));
    LONGS_EQUAL(SIGALRM, killed_by(in_child([] {
        ualarm(30'000, 0);
        return execl("/bin/sleep", "sleep", "100", nullptr);
    })));
}

TEST(Signals, alarm_tells_how_long_the_last_one_had_left) {
    const unsigned before = alarm(100);
    const unsigned left = alarm(before);
    CHECK(left >= 99 && left <= 100);
}

TEST(Signals, a_timer_with_an_interval_comes_again) {
    Caught caught(SIGALRM);
    const struct itimerval timer = {{0, 2'000}, {0, 2'000}}, none = {};
    setitimer(ITIMER_REAL, &timer, nullptr);
    for (int i = 0; i < 10'000 && seen < 3; ++i) {
        usleep(1'000);
    }
    setitimer(ITIMER_REAL, &none, nullptr);
    CHECK(seen >= 3);
}

TEST(Signals, a_virtual_timer_rings_again_and_again_for_a_program_that_computes) {
    Caught caught(SIGVTALRM);
    const struct itimerval timer = {{0, 1'000}, {0, 2'000}}, none = {};
    setitimer(ITIMER_VIRTUAL, &timer, nullptr);
    while (seen < 3) {      // computes
    }
    struct itimerval left;
    setitimer(ITIMER_VIRTUAL, &none, &left);
    LONGS_EQUAL(1'000, left.it_interval.tv_usec);
    CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_usec <= 1'000);
}

TEST(Signals, a_profiling_timer_counts_time_in_the_kernel_and_rings_once) {
    Caught caught(SIGPROF);
    const struct itimerval timer = {{0, 0}, {0, 2'000}};
    setitimer(ITIMER_PROF, &timer, nullptr);
    while (seen < 1) {
        getppid();
    }
    struct itimerval left;
    getitimer(ITIMER_PROF, &left);
    LONGS_EQUAL(0, left.it_value.tv_sec + left.it_value.tv_usec);
    LONGS_EQUAL(1, seen);
}

TEST(Signals, time_asleep_does_not_count_for_a_profiling_timer) {
    const struct itimerval timer = {{0, 0}, {100, 0}}, none = {};
    setitimer(ITIMER_PROF, &timer, nullptr);
    usleep(50'000);
    struct itimerval left;
    setitimer(ITIMER_PROF, &none, &left);
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    const long counted = 100'000'000 - (left.it_value.tv_sec * 1'000'000 + left.it_value.tv_usec);
    CHECK(counted >= 0 && counted <= used.tv_sec * 1'000'000 + used.tv_nsec / 1'000 + 1);
}

TEST(Signals, timers_of_processor_time_are_not_inherited_and_are_kept_over_exec) {
    static const auto has_none = [] {
        struct itimerval virtual_one, profiling;
        LEAVE_UNLESS(getitimer(ITIMER_VIRTUAL, &virtual_one) == 0 && getitimer(ITIMER_PROF, &profiling) == 0);
        LEAVE_UNLESS(virtual_one.it_value.tv_sec == 0 && virtual_one.it_interval.tv_sec == 0);
        LEAVE_UNLESS(profiling.it_value.tv_sec == 0 && profiling.it_interval.tv_sec == 0);
        return 0;
    };
    LONGS_EQUAL(0, exited(in_child([] {
        const struct itimerval timer = {{100, 0}, {100, 0}};
        setitimer(ITIMER_VIRTUAL, &timer, nullptr);
        setitimer(ITIMER_PROF, &timer, nullptr);
        const int forked = exited(in_child(has_none));
        const pid_t pid = vfork();
        if (pid == 0) {
            _exit(has_none());
        }
        int status = -1;
        waitpid(pid, &status, 0);
        return forked != 0 ? forked : exited(status);
    })));
    static constexpr int clocks[] = {ITIMER_VIRTUAL, ITIMER_PROF};
    for (const int which : clocks) {
        LONGS_EQUAL(which == ITIMER_PROF ? SIGPROF : SIGVTALRM, killed_by(in_child([which] {
            const struct itimerval timer = {{0, 0}, {0, 20'000}};
            setitimer(which, &timer, nullptr);
            return execl("/bin/sh", "sh", "-c", "while :; do :; done", nullptr);
        })));
    }
}

TEST(Signals, pause_returns_when_a_handler_has_run) {
    Caught caught(SIGUSR1);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            kill(parent, SIGUSR1);
            usleep(1'000);
        }
    }
    errno = 0;
    const int result = pause();
    const int error = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) == -1) {
    }
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EINTR, error);
}

TEST(Signals, a_read_with_SA_RESTART_goes_on_after_the_handler) {
    static Gate* gate;
    Gate pipe;
    gate = &pipe;
    Caught caught(SIGALRM, SA_RESTART, [](int) {
        seen = 1;
        gate->open();
    });
    ualarm(20'000, 0);
    char byte = 0;
    LONGS_EQUAL(1, read(pipe.reader(), &byte, 1));
    LONGS_EQUAL('x', byte);
    LONGS_EQUAL(1, seen);
}

TEST(Signals, an_unknown_way_to_change_the_mask_is_EINVAL_and_changes_nothing) {
    sigset_t set, before, after;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, nullptr, &before);
    FAILS_WITH(EINVAL, sigprocmask(17, &set, nullptr));
    sigprocmask(SIG_BLOCK, nullptr, &after);
    LONGS_EQUAL(before, after);
}

TEST(Signals, the_number_0_has_no_action) {
    struct sigaction action = {};
    FAILS_WITH(EINVAL, sigaction(0, &action, nullptr));
    FAILS_WITH(EINVAL, sigaction(NSIG, &action, nullptr));
    FAILS_WITH(EINVAL, sigaction(SIGSTOP, &action, nullptr));
}

TEST(Signals, abort_ends_by_SIGABRT_also_when_it_is_ignored_or_blocked) {
    LONGS_EQUAL(SIGABRT, killed_by(in_child([] {
        abort();
        return 0;
    })));
}

TEST(Signals, a_fault_whose_signal_is_blocked_ends_the_process) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        const sigset_t set = set_of(SIGSEGV);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        return *wild_pointer(16);
    })));
}

TEST(Signals, a_frame_that_does_not_fit_on_the_stack_ends_the_process_with_SIGSEGV) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        catch_signal(SIGUSR1);
        const long number = SIGUSR1, pid = getpid();
        register long x8 asm("x8") = SYS_kill;
        register long x0 asm("x0") = pid;
        register long x1 asm("x1") = number;
        asm volatile("mov x9, #64\n\tmov sp, x9\n\tsvc #0" : "+r"(x0), "+r"(x1) : "r"(x8) : "x9", "memory");
        return 0;
    })));
}

// --- taken without a handler ---

static sigset_t only(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

TEST(Signals, sigwait_takes_one_that_is_pending) {
    const sigset_t set = only(SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGUSR1);
    int signal = 0;
    LONGS_EQUAL(0, sigwait(&set, &signal));
    LONGS_EQUAL(SIGUSR1, signal);
    sigset_t pending;
    sigpending(&pending);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    LONGS_EQUAL(0, pending);
}

TEST(Signals, sigwaitinfo_sleeps_until_one_comes_and_says_who_sent_it) {
    const sigset_t set = only(SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        wait_for_state(parent, FL_PROC_SLEEPING);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    siginfo_t info = {};
    const int taken = sigwaitinfo(&set, &info);
    sigset_t mask;
    sigprocmask(SIG_UNBLOCK, &set, &mask);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(SIGUSR1, taken);
    LONGS_EQUAL(pid, info.si_pid);
    CHECK(sigismember(&mask, SIGUSR1));         // it is blocked as before
}

TEST(Signals, sigtimedwait_says_EAGAIN_when_none_came_in_time) {
    const sigset_t set = only(SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    const struct timespec none = {0, 0}, soon = {0, 1'000'000}, bad = {0, 1'000'000'000};
    FAILS_WITH(EAGAIN, sigtimedwait(&set, nullptr, &none));
    FAILS_WITH(EAGAIN, sigtimedwait(&set, nullptr, &soon));
    FAILS_WITH(EINVAL, sigtimedwait(&set, nullptr, &bad));
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

TEST(Signals, sigtimedwait_is_interrupted_by_a_handler_of_another_signal) {
    const sigset_t set = only(SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    catch_signal(SIGALRM, SA_RESTART);
    const struct itimerval soon = {{0, 0}, {0, 1000}};
    setitimer(ITIMER_REAL, &soon, nullptr);
    FAILS_WITH(EINTR, sigwaitinfo(&set, nullptr));
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    LONGS_EQUAL(SIGALRM, seen_signal);
}

// --- the alternate stack ---

static char alternate[SIGSTKSZ] __attribute__((aligned(16)));
static const volatile char* volatile handlers_local = nullptr;
static volatile int stack_flags = 0, change_errno = 0;

static void look_at_stack(int) {
    volatile char local = 0;
    handlers_local = &local;
    stack_t now = {}, other = {};
    sigaltstack(nullptr, &now);
    stack_flags = now.ss_flags;
    other.ss_flags = SS_DISABLE;
    change_errno = sigaltstack(&other, nullptr) == -1 ? errno : 0;
}
static bool ran_on_alternate() { return handlers_local >= alternate && handlers_local < alternate + sizeof alternate; }
static void use_alternate(int flags) {
    stack_t stack = {};
    stack.ss_sp = alternate;
    stack.ss_size = sizeof alternate;
    sigaltstack(&stack, nullptr);
    struct sigaction action = {};
    action.sa_handler = look_at_stack;
    action.sa_flags = flags;
    sigaction(SIGUSR1, &action, nullptr);
}
static void forget_alternate() {
    stack_t off = {};
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, nullptr);
    signal(SIGUSR1, SIG_DFL);
}

TEST(Signals, a_handler_with_SA_ONSTACK_runs_on_the_alternate_stack_which_can_not_be_changed_meanwhile) {
    use_alternate(SA_ONSTACK);
    raise(SIGUSR1);
    const bool there = ran_on_alternate();
    stack_t after = {};
    sigaltstack(nullptr, &after);
    forget_alternate();
    CHECK(there);
    LONGS_EQUAL(SS_ONSTACK, stack_flags);
    LONGS_EQUAL(EPERM, change_errno);
    CHECK(after.ss_flags == 0 && after.ss_sp == alternate);
}

TEST(Signals, a_handler_without_SA_ONSTACK_runs_where_the_program_was) {
    use_alternate(0);
    raise(SIGUSR1);
    forget_alternate();
    CHECK(!ran_on_alternate());
    LONGS_EQUAL(0, stack_flags);
}

TEST(Signals, the_alternate_stack_is_the_forked_childs_too) {
    use_alternate(SA_ONSTACK);
    const int status = in_child([] {
        raise(SIGUSR1);
        return ran_on_alternate() ? 5 : 6;
    });
    forget_alternate();
    LONGS_EQUAL(5, exited(status));
}

ROLE(has_no_alternate_stack) {
    stack_t now = {};
    return sigaltstack(nullptr, &now) == 0 && now.ss_flags == SS_DISABLE ? 0 : 1;
}

TEST(Signals, a_new_program_has_no_alternate_stack) {
    use_alternate(SA_ONSTACK);
    const int status = in_child([] { return become("has_no_alternate_stack"); });
    forget_alternate();
    LONGS_EQUAL(0, exited(status));
}

TEST(Signals, an_overflowing_stack_is_told_on_the_alternate_one) {
    LONGS_EQUAL(4, exited(in_child([] {
        use_alternate(SA_ONSTACK);
        struct sigaction action = {};
        action.sa_handler = [](int) { _exit(4); };
        action.sa_flags = SA_ONSTACK;
        sigaction(SIGSEGV, &action, nullptr);
        asm volatile("mov sp, %0\n str xzr, [sp, #-16]!" : : "r"(0x20000ul) : "memory");
        return 1;
    })));
}

TEST(Signals, a_stack_that_is_too_small_is_ENOMEM_and_an_unknown_flag_EINVAL) {
    stack_t stack = {};
    stack.ss_sp = alternate;
    stack.ss_size = MINSIGSTKSZ - 1;
    FAILS_WITH(ENOMEM, sigaltstack(&stack, nullptr));
    stack.ss_size = sizeof alternate;
    stack.ss_flags = 0x40;
    FAILS_WITH(EINVAL, sigaltstack(&stack, nullptr));
}
