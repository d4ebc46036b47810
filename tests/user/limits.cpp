// Limits, priority, usage, time.
#include "user/support/support.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

TEST_GROUP(Limits) {};

TEST(Limits, RLIMIT_NOFILE_bounds_the_descriptors) {
    LONGS_EQUAL(EMFILE, exited(in_child([] {
        const struct rlimit limit = {8, 8};
        setrlimit(RLIMIT_NOFILE, &limit);
        while (open("/dev/null", O_RDONLY) >= 0) {
        }
        return errno;
    })));
}

TEST(Limits, a_limit_is_inherited_and_can_be_read) {
    LONGS_EQUAL(9, exited(in_child([] {
        const struct rlimit limit = {9, 20};
        setrlimit(RLIMIT_NOFILE, &limit);
        return exited(in_child([] {
            struct rlimit seen;
            getrlimit(RLIMIT_NOFILE, &seen);
            return static_cast<int>(seen.rlim_cur);
        }));
    })));
}

TEST(Limits, a_current_limit_above_the_maximum_is_EINVAL) {
    const struct rlimit limit = {10, 5};
    FAILS_WITH(EINVAL, setrlimit(RLIMIT_NOFILE, &limit));
}

TEST(Limits, an_unknown_resource_is_EINVAL) {
    struct rlimit limit;
    FAILS_WITH(EINVAL, getrlimit(99, &limit));
}

TEST(Limits, a_user_with_RLIMIT_NPROC_gets_EAGAIN) {
    LONGS_EQUAL(EAGAIN, exited(in_child([] {
        const struct rlimit limit = {1, 1};
        setrlimit(RLIMIT_NPROC, &limit);
        setuid(1000);
        return fork() == -1 ? errno : 0;
    })));
}

TEST(Limits, nice_raises_and_is_inherited) {
    LONGS_EQUAL(5, exited(in_child([] {
        nice(5);
        return exited(in_child([] { return getpriority(PRIO_PROCESS, 0); }));
    })));
}

TEST(Limits, a_user_cannot_favour_itself) {
    LONGS_EQUAL(EACCES, exited(in_child([] {
        setuid(1000);
        return setpriority(PRIO_PROCESS, 0, -5) == -1 ? (errno == EPERM ? EACCES : errno) : 0;
    })));
}

TEST(Limits, a_user_cannot_set_the_level_of_anothers_processes) {
    LONGS_EQUAL(EPERM, exited(in_child([] {
        setuid(1000);
        return setpriority(PRIO_PROCESS, getppid(), 19) == -1 ? errno : 0;
    })));
    LONGS_EQUAL(0, getpriority(PRIO_PROCESS, 0));
}

TEST(Limits, setuid_to_nobody_at_all_is_EINVAL) {
    LONGS_EQUAL(EINVAL, exited(in_child([] { return setuid(static_cast<uid_t>(-1)) == -1 ? errno : 0; })));
    LONGS_EQUAL(EINVAL, exited(in_child([] { return setgid(static_cast<gid_t>(-1)) == -1 ? errno : 0; })));
}

TEST(Limits, work_is_counted) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 2000000; ++i) {
        asm volatile("");
    }
    getrusage(RUSAGE_SELF, &after);
    const long spent = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                       after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    CHECK(spent > 0);
}

// True if the caller never had `bytes` in memory, then has them for a moment, and is told of it.
static bool has_in_memory_for_a_moment(size_t bytes) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    auto* memory = static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t at = 0; at < bytes; at += 4096) {
        memory[at] = 1;
    }
    munmap(memory, bytes);
    getrusage(RUSAGE_SELF, &after);
    const auto kib = static_cast<long>(bytes / 1024);
    return before.ru_maxrss > 0 && before.ru_maxrss < kib && after.ru_maxrss >= kib;
}

TEST(Limits, the_most_memory_that_was_ever_in_use_is_told_after_it_was_given_back_and_after_exec) {
    constexpr size_t bytes = 4 << 20;
    const pid_t pid = fork();
    if (pid == 0) {
        if (has_in_memory_for_a_moment(bytes)) {
            execl("/bin/true", "true", nullptr);
        }
        _exit(1);
    }
    struct rusage usage;
    int status;
    LONGS_EQUAL(pid, wait4(pid, &status, 0, &usage));
    LONGS_EQUAL(0, exited(status));
    CHECK(usage.ru_maxrss >= static_cast<long>(bytes / 1024) && usage.ru_maxrss < static_cast<long>(2 * bytes / 1024));
}

TEST(Limits, the_monotonic_clock_goes_forward_by_a_sleep) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    usleep(10000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    const long passed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    CHECK(passed >= 10000000);
}

TEST(Limits, an_unknown_system_call_is_ENOSYS) {
    FAILS_WITH(ENOSYS, syscall(SYS_COUNT - 1));
    FAILS_WITH(ENOSYS, syscall(SYS_COUNT));
    FAILS_WITH(ENOSYS, syscall(-1));
}

TEST(Limits, uname_names_the_system) {
    struct utsname name;
    LONGS_EQUAL(0, uname(&name));
    LONGS_EQUAL(0, strcmp(name.sysname, "Forklore"));
}

TEST(Limits, RLIMIT_AS_bounds_what_is_mapped) {
    LONGS_EQUAL(ENOMEM, exited(in_child([] {
        const struct rlimit limit = {16 << 20, 16 << 20};
        setrlimit(RLIMIT_AS, &limit);
        if (mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) {
            return -1;
        }
        return mmap(nullptr, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
    })));
}

TEST(Limits, RLIMIT_DATA_bounds_the_heap) {
    LONGS_EQUAL(ENOMEM, exited(in_child([] {
        const struct rlimit limit = {2 << 20, 2 << 20};
        setrlimit(RLIMIT_DATA, &limit);
        return sbrk(8 << 20) == reinterpret_cast<void*>(-1) ? errno : 0;
    })));
}

[[gnu::noinline]] static int use_stack(size_t bytes) {
    volatile char block[4096];
    block[0] = 1;
    return bytes < sizeof block ? 0 : use_stack(bytes - sizeof block) + block[0];
}

TEST(Limits, RLIMIT_STACK_bounds_the_stack) {
    LONGS_EQUAL(0, exited(in_child([] { return use_stack(3 << 20) > 0 ? 0 : 1; })));
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        const struct rlimit limit = {1 << 20, 1 << 20};
        setrlimit(RLIMIT_STACK, &limit);
        return use_stack(3 << 20) > 0 ? 0 : 1;
    })));
}

TEST(Limits, RLIMIT_FSIZE_bounds_a_file_by_SIGXFSZ_and_EFBIG) {
    const auto write_too_much = [] {
        const struct rlimit limit = {1000, 1000};
        setrlimit(RLIMIT_FSIZE, &limit);
        static char block[600];
        const int fd = open("/tmp/large", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (write(fd, block, 600) != 600 || write(fd, block, 600) != 400) {
            return 1;
        }
        return write(fd, block, 1) == -1 ? errno : 0;
    };
    const int killed = in_child(write_too_much);
    const int refused = in_child([&] {
        signal(SIGXFSZ, SIG_IGN);
        return write_too_much();
    });
    unlink("/tmp/large");
    LONGS_EQUAL(SIGXFSZ, killed_by(killed));
    LONGS_EQUAL(EFBIG, exited(refused));
}

TEST(Limits, RLIMIT_NPROC_counts_the_living_and_a_place_comes_back_when_a_child_is_waited_for) {
    LONGS_EQUAL(0, exited(in_child([] {
        const struct rlimit limit = {3, 3};
        setrlimit(RLIMIT_NPROC, &limit);
        setuid(4712);
        Gate gate;
        int made = 0;
        for (pid_t pid; made < 10 && (pid = fork()) != -1; ++made) {
            if (pid == 0) {
                gate.pass();
                _exit(0);
            }
        }
        const int error = errno;
        for (int i = 0; i < made; ++i) {
            gate.open();
        }
        wait(nullptr);
        const pid_t again = fork();
        if (again == 0) {
            _exit(0);
        }
        while (wait(nullptr) != -1) {
        }
        return error == EAGAIN && made >= 1 && made <= 3 && again > 0 ? 0 : made + 10;
    })));
}

TEST(Limits, root_forks_beyond_RLIMIT_NPROC) {
    LONGS_EQUAL(0, exited(in_child([] {
        const struct rlimit limit = {1, 1};
        setrlimit(RLIMIT_NPROC, &limit);
        return exited(in_child([] { return 0; }));
    })));
}

TEST(Limits, a_user_lowers_the_maximum_but_does_not_raise_it) {
    LONGS_EQUAL(EPERM, exited(in_child([] {
        setuid(1000);
        const struct rlimit lower = {10, 20}, higher = {10, 30};
        LEAVE_UNLESS(setrlimit(RLIMIT_NOFILE, &lower) == 0);
        return setrlimit(RLIMIT_NOFILE, &higher) == -1 ? errno : 0;
    })));
}

TEST(Limits, a_childs_limits_are_its_own) {
    struct rlimit before, after;
    getrlimit(RLIMIT_NOFILE, &before);
    in_child([] {
        const struct rlimit limit = {9, 9};
        return setrlimit(RLIMIT_NOFILE, &limit);
    });
    getrlimit(RLIMIT_NOFILE, &after);
    LONGS_EQUAL(before.rlim_cur, after.rlim_cur);
}

TEST(Limits, with_no_place_for_a_descriptor_dup_open_and_pipe_are_EMFILE) {
    LONGS_EQUAL(0, exited(in_child([] {
        const struct rlimit limit = {4, 4};
        setrlimit(RLIMIT_NOFILE, &limit);
        close(3);
        int ends[2] = {-7, -7};
        LEAVE_UNLESS(pipe(ends) == -1 && errno == EMFILE && ends[0] == -7);
        LEAVE_UNLESS(dup(0) == 3);
        LEAVE_UNLESS(dup(0) == -1 && errno == EMFILE);
        LEAVE_UNLESS(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
        LEAVE_UNLESS(dup2(0, 4) == -1 && errno == EBADF);
        return 0;
    })));
}

TEST(Limits, setuid_by_a_user_to_another_is_EPERM) {
    LONGS_EQUAL(EPERM, exited(in_child([] {
        setuid(1000);
        return setuid(0) == -1 ? errno : 0;
    })));
}
