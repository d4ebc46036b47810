// Processes: making them, waiting for them, their identity, limits and usage.
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/newlib/convert.h"
#include "user/newlib/heap_lock.h"
#include "user/newlib/system_call.h"

extern "C" {

// vfork's failing half (entry.S).
int forklore_fail(int error) {
    return fail(error);
}

// The heap's lock is held across, so that a child of a program with threads finds the heap whole.
pid_t fork() {
    RecursiveGuard guard(forklore_heap_lock);
    return posix<pid_t>(system_call(SYS_fork));
}
pid_t _fork() NEWLIB_NAME(fork);

void _exit(int status) {
    for (;;) {
        system_call(SYS_exit, status);
    }
}

pid_t getpid() { return static_cast<pid_t>(system_call(SYS_getpid)); }
pid_t _getpid() NEWLIB_NAME(getpid);
pid_t getppid() { return static_cast<pid_t>(system_call(SYS_getppid)); }
pid_t getpgid(pid_t pid) { return posix<pid_t>(system_call(SYS_getpgid, pid)); }
pid_t getpgrp() { return getpgid(0); }
int setpgid(pid_t pid, pid_t group) { return posix(system_call(SYS_setpgid, pid, group)); }
int setpgrp() { return setpgid(0, 0); }
pid_t getsid(pid_t pid) { return posix<pid_t>(system_call(SYS_getsid, pid)); }
pid_t setsid() { return posix<pid_t>(system_call(SYS_setsid)); }

uid_t getuid() { return static_cast<uid_t>(system_call(SYS_getuid)); }
uid_t geteuid() { return static_cast<uid_t>(system_call(SYS_geteuid)); }
gid_t getgid() { return static_cast<gid_t>(system_call(SYS_getgid)); }
gid_t getegid() { return static_cast<gid_t>(system_call(SYS_getegid)); }
// newlib's uid_t and gid_t are narrower than the kernel's: -1, which nobody is, must arrive as -1.
static uint32_t kernel_id(uid_t id) { return id == static_cast<uid_t>(-1) ? ~uint32_t{0} : id; }
int setuid(uid_t uid) { return posix(system_call(SYS_setuid, kernel_id(uid))); }
int setgid(gid_t gid) { return posix(system_call(SYS_setgid, kernel_id(gid))); }
int getgroups(int room, gid_t groups[]) {
    uint32_t found[FORKLORE_NGROUPS_MAX];
    const int count = posix(system_call(SYS_getgroups, FORKLORE_NGROUPS_MAX, found));
    if (room == 0 || count < 0) {
        return count;
    }
    if (room < count) {
        return fail(EINVAL);
    }
    for (int i = 0; i < count; ++i) {
        groups[i] = static_cast<gid_t>(found[i]);
    }
    return count;
}
int setgroups(int count, const gid_t* groups) {
    if (count < 0 || count > FORKLORE_NGROUPS_MAX) {
        return fail(EINVAL);
    }
    uint32_t wanted[FORKLORE_NGROUPS_MAX];
    for (int i = 0; i < count; ++i) {
        wanted[i] = groups[i];
    }
    return posix(system_call(SYS_setgroups, count, wanted));
}
int issetugid() { return getuid() != geteuid() || getgid() != getegid(); }

pid_t wait4(pid_t pid, int* status, int options, struct rusage* usage) {
    ForkloreUsage kernel_usage;
    const long result = system_call(SYS_wait4, pid, status, options, usage != nullptr ? &kernel_usage : nullptr);
    if (usage != nullptr && result > 0) {
        *usage = usage_from_kernel(kernel_usage);
    }
    return posix<pid_t>(result);
}
int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
    return posix(system_call(SYS_waitid, static_cast<int>(type), id, info, options));
}
pid_t wait3(int* status, int options, struct rusage* usage) { return wait4(-1, status, options, usage); }
pid_t waitpid(pid_t pid, int* status, int options) { return wait4(pid, status, options, nullptr); }
pid_t wait(int* status) { return wait4(-1, status, 0, nullptr); }
pid_t _wait(int* status) NEWLIB_NAME(wait);

int getrlimit(int resource, struct rlimit* limit) { return posix(system_call(SYS_getrlimit, resource, limit)); }
int setrlimit(int resource, const struct rlimit* limit) { return posix(system_call(SYS_setrlimit, resource, limit)); }

int getrusage(int who, struct rusage* usage) {
    ForkloreUsage kernel_usage;
    const long result = system_call(SYS_getrusage, who, &kernel_usage);
    if (!is_error(result)) {
        *usage = usage_from_kernel(kernel_usage);
    }
    return posix(result);
}

// The kernel returns 20 - nice, so that no result looks like an error.
int getpriority(int which, id_t who) {
    const long result = system_call(SYS_getpriority, which, who);
    return is_error(result) ? posix(result) : 20 - static_cast<int>(result);
}
int setpriority(int which, id_t who, int nice_level) {
    return posix(system_call(SYS_setpriority, which, who, nice_level));
}
int nice(int increment) {
    errno = 0;
    const int now = getpriority(PRIO_PROCESS, 0);
    if (now == -1 && errno != 0) {
        return -1;
    }
    return setpriority(PRIO_PROCESS, 0, now + increment) == -1 ? -1 : getpriority(PRIO_PROCESS, 0);
}

int sched_yield() { return posix(system_call(SYS_sched_yield)); }

// Descriptors 0, 1 and 2 to /dev/null, a session of its own, in the background.
int daemon(int keep_directory, int keep_descriptors) {
    const pid_t pid = fork();
    if (pid != 0) {
        if (pid > 0) {
            _exit(0);
        }
        return -1;
    }
    if (setsid() == -1 || (!keep_directory && chdir("/") == -1)) {
        return -1;
    }
    if (!keep_descriptors) {
        const int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd <= 2 && null >= 0; ++fd) {
            dup2(null, fd);
        }
        if (null > 2) {
            close(null);
        }
    }
    return 0;
}

}  // extern "C"
