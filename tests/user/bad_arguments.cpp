// Every system call with addresses and numbers that no program should pass: an errno, and nothing changed.
//
// The table names each call once, with arguments that would do and the positions of its addresses. The ledger around each
// test sees what a refused call took all the same.
#include "user/support/support.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace {

char scratch[8192] __attribute__((aligned(16)));
uintptr_t address_of(const void* object) { return reinterpret_cast<uintptr_t>(object); }

enum Way : uint8_t { None, In, Out, Text };     // an address that the kernel reads, writes, or reads a path from

struct Call {
    const char* name;
    long number;
    long arguments[6];
    Way ways[6];
    bool null_means_none;       // a null address is the caller's right
};

const long good = static_cast<long>(address_of(scratch));
// -2 stands for a descriptor of an open file, -3 for a pipe's end that has something to read.
constexpr long file = -2, pipe_end = -3;

const Call calls[] = {
    {"execve", SYS_execve, {good, 0, 0}, {Text}, false},
    {"execve's argv", SYS_execve, {good, good, 0}, {None, In}, true},
    {"execve's envp", SYS_execve, {good, 0, good}, {None, None, In}, true},
    {"posix_spawn's paths", SYS_posix_spawn, {good, 0, 0, 0}, {In}, false},
    {"posix_spawn's attributes", SYS_posix_spawn, {good, good, 0, 0}, {None, In}, true},
    {"sigtimedwait", SYS_sigtimedwait, {good, 0, good}, {In}, false},
    {"sigaltstack", SYS_sigaltstack, {good, 0}, {In}, true},
    {"sigaltstack's old", SYS_sigaltstack, {0, good}, {None, Out}, true},
    {"setgroups", SYS_setgroups, {2, good}, {None, In}, false},
    {"getrlimit", SYS_getrlimit, {RLIMIT_NOFILE, good}, {None, Out}, false},
    {"setrlimit", SYS_setrlimit, {RLIMIT_NOFILE, good}, {None, In}, false},
    {"getrusage", SYS_getrusage, {0, good}, {None, Out}, false},
    {"futex_wait", SYS_futex_wait, {good, 1, 0}, {In}, false},
    {"futex_wait's timeout", SYS_futex_wait, {good, 0, good}, {None, None, In}, true},
    {"sigaction", SYS_sigaction, {SIGUSR1, good, 0}, {None, In}, true},
    {"sigaction's old", SYS_sigaction, {SIGUSR1, 0, good}, {None, None, Out}, true},
    {"sigprocmask", SYS_sigprocmask, {SIG_BLOCK, good, 0}, {None, In}, true},
    {"sigprocmask's old", SYS_sigprocmask, {SIG_BLOCK, 0, good}, {None, None, Out}, true},
    {"sigpending", SYS_sigpending, {good}, {Out}, false},
    {"sigsuspend", SYS_sigsuspend, {good}, {In}, false},
    {"setitimer", SYS_setitimer, {0, good, 0}, {None, In}, true},
    {"setitimer's old", SYS_setitimer, {0, 0, good}, {None, None, Out}, true},
    {"getitimer", SYS_getitimer, {0, good}, {None, Out}, false},
    {"read", SYS_read, {pipe_end, good, 64}, {None, Out}, false},
    {"write", SYS_write, {file, good, 64}, {None, In}, false},
    {"open", SYS_open, {good, O_RDONLY, 0}, {Text}, false},
    {"stat", SYS_stat, {good, good}, {Text}, false},
    {"stat's buffer", SYS_stat, {good, good}, {None, Out}, false},
    {"lstat", SYS_lstat, {good, good}, {None, Out}, false},
    {"fstat", SYS_fstat, {file, good}, {None, Out}, false},
    {"pipe2", SYS_pipe2, {good, 0}, {Out}, false},
    {"getdents", SYS_getdents, {-4, good, 512}, {None, Out}, false},
    {"chdir", SYS_chdir, {good}, {Text}, false},
    {"getcwd", SYS_getcwd, {good, 64}, {Out}, false},
    {"mkdir", SYS_mkdir, {good, 0755}, {Text}, false},
    {"rmdir", SYS_rmdir, {good}, {Text}, false},
    {"unlink", SYS_unlink, {good}, {Text}, false},
    {"rename's old", SYS_rename, {good, good}, {Text}, false},
    {"rename's new", SYS_rename, {good, good}, {None, Text}, false},
    {"link's old", SYS_link, {good, good}, {Text}, false},
    {"link's new", SYS_link, {good, good}, {None, Text}, false},
    {"access", SYS_access, {good, 0}, {Text}, false},
    {"chmod", SYS_chmod, {good, 0644}, {Text}, false},
    {"truncate", SYS_truncate, {good, 0}, {Text}, false},
    {"utime", SYS_utime, {good}, {Text}, false},
    {"poll", SYS_poll, {good, 2, 0}, {Out}, false},
    {"writev", SYS_writev, {file, good, 2}, {None, In}, false},
    {"readv", SYS_readv, {pipe_end, good, 2}, {None, In}, false},
    {"clock_gettime", SYS_clock_gettime, {FL_CLOCK_MONOTONIC, good}, {None, Out}, false},
    {"clock_settime", SYS_clock_settime, {FL_CLOCK_REALTIME, good}, {None, In}, false},
    {"nanosleep", SYS_nanosleep, {good, 0}, {In}, false},
    {"getrandom", SYS_getrandom, {good, 64, 0}, {Out}, false},
    {"uname", SYS_uname, {good}, {Out}, false},
    {"sysinfo", SYS_sysinfo, {good}, {Out}, false},
    {"proc_list", SYS_proc_list, {good, 1}, {Out}, false},
    {"zone_list", SYS_zone_list, {good, 1}, {Out}, false},
    {"region_list", SYS_region_list, {0, 0, good, 1}, {None, None, Out}, false},
    {"page_list", SYS_page_list, {0, 0, good, 1}, {None, None, Out}, false},
    {"klog", SYS_klog, {good, 4096}, {Out}, false},
    {"TCGETS", SYS_ioctl, {0, FL_TCGETS, good}, {None, None, Out}, false},
    {"TIOCGPGRP", SYS_ioctl, {0, FL_TIOCGPGRP, good}, {None, None, Out}, false},
    {"TIOCGWINSZ", SYS_ioctl, {0, FL_TIOCGWINSZ, good}, {None, None, Out}, false},
    {"wait4's status", SYS_wait4, {-5, good, 0, 0}, {None, Out}, true},
    {"wait4's usage", SYS_wait4, {-5, 0, 0, good}, {None, None, None, Out}, true},
};

}  // namespace

TEST_GROUP(BadArguments) {
    int regular = -1, directory = -1, ends[2] = {-1, -1};
    char failures[512] = "";

    void setup() override {
        regular = open("/tmp/regular", O_RDWR | O_CREAT | O_TRUNC, 0600);
        directory = open("/", O_RDONLY);
        pipe(ends);
        write(ends[1], scratch, 64);
    }
    void teardown() override {
        close(regular);
        close(directory);
        close(ends[0]);
        close(ends[1]);
        unlink("/tmp/regular");
    }

    // The call with `address` in its place; its errno, 0 if it succeeded. A zombie child is there for wait4.
    int errno_of(const Call& call, uintptr_t address) {
        long values[6];
        pid_t child = -1;
        for (int i = 0; i < 6; ++i) {
            values[i] = call.ways[i] != None ? static_cast<long>(address) : call.arguments[i];
            if (call.ways[i] == None && call.number != SYS_wait4) {
                values[i] = values[i] == file ? regular : values[i] == pipe_end ? ends[0] : values[i] == -4 ? directory : values[i];
            } else if (call.ways[i] == None && values[i] == -5) {
                child = fork();
                if (child == 0) {
                    _exit(0);
                }
                values[i] = child;
            }
        }
        errno = 0;
        const long result = syscall(call.number, values[0], values[1], values[2], values[3], values[4], values[5]);
        const int error = result == -1 ? errno : 0;
        if (child > 0) {
            while (waitpid(child, nullptr, 0) > 0) {
            }
        }
        return error;
    }

    // All calls that the address concerns end with EFAULT.
    void all_refuse(uintptr_t address, bool concerns_reading, bool concerns_writing, bool null = false) {
        strcpy(scratch, "/bin/sh");     // where the path is not what is wrong
        for (const Call& call : calls) {
            bool wanted = !(null && call.null_means_none);
            for (const Way way : call.ways) {
                wanted = wanted && !(way == Out && !concerns_writing) && !((way == In || way == Text) && !concerns_reading);
            }
            const bool unaligned_word = call.number == SYS_futex_wait && call.ways[0] == In && address % sizeof(uint32_t) != 0;
            const int error = wanted && !unaligned_word ? errno_of(call, address) : EFAULT;
            const size_t used = strlen(failures);
            if (error != EFAULT && used < sizeof failures - 1) {
                snprintf(failures + used, sizeof failures - used, "%s: %s; ", call.name, error == 0 ? "succeeds" : strerror(error));
            }
        }
        STRCMP_EQUAL("", failures);
    }
};

TEST(BadArguments, a_null_address_is_EFAULT_where_it_does_not_mean_none) { all_refuse(0, true, true, true); }
TEST(BadArguments, an_address_in_the_first_page_is_EFAULT) { all_refuse(8, true, true); }
TEST(BadArguments, an_address_that_is_not_mapped_is_EFAULT) { all_refuse(0x3000'0000, true, true); }
TEST(BadArguments, the_first_address_beyond_user_memory_is_EFAULT) { all_refuse(0x4000'0000, true, true); }
TEST(BadArguments, an_address_between_the_halves_is_EFAULT) { all_refuse(0x0080'0000'0000'0000, true, true); }
TEST(BadArguments, an_address_of_the_kernel_is_EFAULT) { all_refuse(0xffff'ff80'0008'0000, true, true); }
TEST(BadArguments, the_last_address_of_all_is_EFAULT) { all_refuse(~uintptr_t{0}, true, true); }
TEST(BadArguments, text_cannot_be_written) { all_refuse(address_of(reinterpret_cast<const void*>(&syscall)), false, true); }

TEST(BadArguments, an_object_that_reaches_into_what_is_not_mapped_is_EFAULT) {
    char* page = static_cast<char*>(mmap(nullptr, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(page + 4096, 4096);
    memset(page, 'x', 4096);        // no NUL: a path does not end before the hole
    all_refuse(address_of(page + 4095), true, true);
    munmap(page, 4096);
}

TEST(BadArguments, an_unaligned_object_is_read_and_written_like_any_other) {
    struct rlimit limit;
    char* unaligned = scratch + 1;
    LONGS_EQUAL(0, syscall(SYS_getrlimit, RLIMIT_NOFILE, unaligned));
    memcpy(&limit, unaligned, sizeof limit);
    LONGS_EQUAL(FORKLORE_OPEN_MAX, limit.rlim_max);
    FAILS_WITH(EINVAL, syscall(SYS_futex_wait, unaligned, 0, 0));
    FAILS_WITH(EINVAL, syscall(SYS_futex_wake, unaligned));
}

TEST(BadArguments, what_did_not_get_through_a_pipe_is_still_in_it) {
    FAILS_WITH(EFAULT, read(ends[0], reinterpret_cast<void*>(8), 64));
    LONGS_EQUAL(64, read(ends[0], scratch, 100));
}

TEST(BadArguments, a_descriptor_that_is_none_is_EBADF) {
    constexpr int none[] = {-1, 77, FORKLORE_OPEN_MAX, INT_MAX, INT_MIN};
    for (const int fd : none) {
        FAILS_WITH(EBADF, syscall(SYS_read, fd, scratch, 1));
        FAILS_WITH(EBADF, syscall(SYS_write, fd, scratch, 1));
        FAILS_WITH(EBADF, syscall(SYS_close, fd));
        FAILS_WITH(EBADF, syscall(SYS_lseek, fd, 0, 0));
        FAILS_WITH(EBADF, syscall(SYS_fstat, fd, scratch));
        FAILS_WITH(EBADF, syscall(SYS_dup, fd));
        FAILS_WITH(EBADF, syscall(SYS_dup3, fd, 50, 0));
        FAILS_WITH(EBADF, syscall(SYS_dup3, 0, fd == 77 ? -1 : fd, 0));
        FAILS_WITH(EBADF, syscall(SYS_fcntl, fd, F_GETFL, 0));
        FAILS_WITH(EBADF, syscall(SYS_ioctl, fd, FL_TCGETS, scratch));
        FAILS_WITH(EBADF, syscall(SYS_getdents, fd, scratch, 512));
        FAILS_WITH(EBADF, syscall(SYS_fchdir, fd));
        FAILS_WITH(EBADF, syscall(SYS_ftruncate, fd, 0));
        FAILS_WITH(EBADF, syscall(SYS_writev, fd, scratch, 1));
        FAILS_WITH(EBADF, syscall(SYS_readv, fd, scratch, 1));
    }
}

TEST(BadArguments, numbers_that_name_nothing_are_EINVAL) {
    FAILS_WITH(EINVAL, syscall(SYS_kill, getpid(), -1));
    FAILS_WITH(EINVAL, syscall(SYS_kill, getpid(), FORKLORE_NSIG));
    FAILS_WITH(EINVAL, syscall(SYS_sigaction, INT_MAX, 0, 0));
    FAILS_WITH(EINVAL, syscall(SYS_sigaction, -1, 0, 0));
    FAILS_WITH(EINVAL, syscall(SYS_getrlimit, -1, scratch));
    FAILS_WITH(EINVAL, syscall(SYS_getrlimit, FL_RLIMIT_COUNT, scratch));
    FAILS_WITH(EINVAL, syscall(SYS_getrusage, 99, scratch));
    FAILS_WITH(EINVAL, syscall(SYS_getpriority, 99, 0));
    FAILS_WITH(EINVAL, syscall(SYS_setpriority, -1, 0, 0));
    FAILS_WITH(EINVAL, syscall(SYS_setitimer, 99, scratch, 0));
    FAILS_WITH(EINVAL, syscall(SYS_getitimer, -1, scratch));
    FAILS_WITH(EINVAL, syscall(SYS_clock_gettime, 99, scratch));
    FAILS_WITH(EINVAL, syscall(SYS_lseek, regular, 0, 99));
    FAILS_WITH(EINVAL, syscall(SYS_fcntl, regular, 99, 0));
    FAILS_WITH(EINVAL, syscall(SYS_ftruncate, regular, -1l));
    FAILS_WITH(EINVAL, syscall(SYS_reboot, 99, 0));
}

TEST(BadArguments, times_that_are_none_are_EINVAL) {
    constexpr ForkloreTime bad[] = {{0, -1}, {0, 1'000'000'000}, {-1, 0}};
    for (const ForkloreTime& time : bad) {
        FAILS_WITH(EINVAL, syscall(SYS_nanosleep, &time, 0));
        uint32_t word = 0;
        FAILS_WITH(EINVAL, syscall(SYS_futex_wait, &word, 0, &time));
        const ForkloreTimer timer = {{0, 0}, time};
        FAILS_WITH(EINVAL, syscall(SYS_setitimer, 0, &timer, 0));
    }
}

TEST(BadArguments, a_length_that_no_buffer_has_is_refused_or_cut) {
    // Nothing is there to be read, so the length alone decides.
    int empty[2];
    pipe2(empty, O_NONBLOCK);
    errno = 0;
    const long got = syscall(SYS_read, empty[0], scratch, LONG_MAX), error = errno;
    close(empty[0]);
    close(empty[1]);
    LONGS_EQUAL(-1, got);
    CHECK(error == EAGAIN || error == EINVAL || error == EFAULT);
    FAILS_WITH(EINVAL, syscall(SYS_writev, regular, scratch, -1));
    FAILS_WITH(EINVAL, syscall(SYS_readv, ends[0], scratch, 1 << 30));
    FAILS_WITH(EINVAL, syscall(SYS_poll, scratch, 1 << 30, 0));
}

TEST(BadArguments, a_thread_needs_a_place_to_begin_and_an_aligned_stack) {
    FAILS_WITH(EINVAL, syscall(SYS_thread_create, 0, 0, scratch + 4096, 0));
    FAILS_WITH(EINVAL, syscall(SYS_thread_create, _exit, 0, scratch + 4096 + 8, 0));
    FAILS_WITH(EINVAL, syscall(SYS_thread_create, _exit, 0, 0xffff'ff80'0000'0000, 0));
    FAILS_WITH(EINVAL, syscall(SYS_thread_create, 0xffff'ff80'0000'0000, 0, scratch + 4096, 0));
}

TEST(BadArguments, a_signal_frame_that_the_program_made_up_gives_it_no_rights) {
    // Returns to kernel mode, to the kernel's addresses, from a frame that is not there: the program ends, no more.
    constexpr uint64_t states[] = {0x3c5, 0x3c4, 0x10, ~0ull};
    for (const uint64_t state : states) {
        const int status = in_child([&] {
            static ForkloreSignalFrame frame;
            frame = {};
            frame.pstate = state;
            frame.pc = 0xffff'ff80'0008'0000;
            frame.sp = address_of(scratch + 4096);
            register long x8 asm("x8") = SYS_sigreturn;
            asm volatile("mov sp, %0\n\tsvc #0" ::"r"(&frame), "r"(x8) : "memory", "x0", "x1");
            return 0;
        });
        CHECK(WIFSIGNALED(status));
    }
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        register long x8 asm("x8") = SYS_sigreturn;
        asm volatile("mov x9, #64\n\tmov sp, x9\n\tsvc #0" ::"r"(x8) : "memory", "x0", "x1", "x9");
        return 0;
    })));
}

TEST(BadArguments, a_number_that_no_call_has_is_ENOSYS) {
    constexpr long numbers[] = {SYS_COUNT, SYS_COUNT + 1, -1, LONG_MAX, LONG_MIN, 1l << 32};
    for (const long number : numbers) {
        FAILS_WITH(ENOSYS, syscall(number, 0, 0, 0, 0, 0, 0));
    }
}
