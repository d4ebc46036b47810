// Limits, priority, usage, time.
#include "support.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

TEST("RLIMIT_NOFILE bounds the descriptors") {
    EQUAL(EMFILE, exited(in_child([] {
        const struct rlimit limit = {8, 8};
        setrlimit(RLIMIT_NOFILE, &limit);
        while (open("/dev/null", O_RDONLY) >= 0) {
        }
        return errno;
    })));
}

TEST("a limit is inherited and can be read") {
    EQUAL(9, exited(in_child([] {
        const struct rlimit limit = {9, 20};
        setrlimit(RLIMIT_NOFILE, &limit);
        return exited(in_child([] {
            struct rlimit seen;
            getrlimit(RLIMIT_NOFILE, &seen);
            return static_cast<int>(seen.rlim_cur);
        }));
    })));
}

TEST("a current limit above the maximum is EINVAL") {
    const struct rlimit limit = {10, 5};
    FAILS_WITH(EINVAL, setrlimit(RLIMIT_NOFILE, &limit));
}

TEST("an unknown resource is EINVAL") {
    struct rlimit limit;
    FAILS_WITH(EINVAL, getrlimit(99, &limit));
}

TEST("a user with RLIMIT_NPROC gets EAGAIN") {
    EQUAL(EAGAIN, exited(in_child([] {
        const struct rlimit limit = {1, 1};
        setrlimit(RLIMIT_NPROC, &limit);
        setuid(1000);
        return fork() == -1 ? errno : 0;
    })));
}

TEST("nice raises and is inherited") {
    EQUAL(5, exited(in_child([] {
        nice(5);
        return exited(in_child([] { return getpriority(PRIO_PROCESS, 0); }));
    })));
}

TEST("a user cannot favour itself") {
    EQUAL(EACCES, exited(in_child([] {
        setuid(1000);
        return setpriority(PRIO_PROCESS, 0, -5) == -1 ? (errno == EPERM ? EACCES : errno) : 0;
    })));
}

TEST("work is counted") {
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

TEST("the monotonic clock goes forward by a sleep") {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    usleep(10000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    const long passed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    CHECK(passed >= 10000000);
}

TEST("an unknown system call is ENOSYS") {
    register long x0 asm("x0") = 0;
    register long x8 asm("x8") = 95;
    asm volatile("svc #0" : "+r"(x0) : "r"(x8) : "x1", "memory");
    EQUAL(-ENOSYS, x0);
}

TEST("uname names the system") {
    struct utsname name;
    EQUAL(0, uname(&name));
    EQUAL(0, strcmp(name.sysname, "Forklore"));
}
