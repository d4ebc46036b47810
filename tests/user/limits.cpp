// Limits, priority, usage, time.
#include "user/support/support.h"

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
