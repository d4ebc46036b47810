// exec: a new program in the same process.
#include "user/support/support.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

TEST_GROUP(Exec) {};

TEST(Exec, arguments_reach_the_program) {
    LONGS_EQUAL(3, exited(in_child([] { return execl("/bin/sh", "sh", "-c", "exit $#", "x", "a", "b", "c", nullptr); })));
}

TEST(Exec, the_environment_reaches_the_program) {
    char* const environment[] = {const_cast<char*>("ANSWER=42"), nullptr};
    char* const arguments[] = {const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>("exit $ANSWER"), nullptr};
    LONGS_EQUAL(42, exited(in_child([&] { return execve("/bin/sh", arguments, environment); })));
}

TEST(Exec, the_pid_stays) {
    LONGS_EQUAL(0, exited(in_child([] {
        char command[64];
        snprintf(command, sizeof command, "test $$ = %d", getpid());
        return execl("/bin/sh", "sh", "-c", command, nullptr);
    })));
}

TEST(Exec, a_file_that_is_not_there_is_ENOENT) {
    FAILS_WITH(ENOENT, execl("/nothing", "nothing", nullptr));
}

TEST(Exec, a_directory_is_EACCES) {
    FAILS_WITH(EACCES, execl("/bin", "bin", nullptr));
}

TEST(Exec, a_file_without_the_x_bit_is_EACCES) {
    const int fd = open("/tmp/plain", O_WRONLY | O_CREAT, 0644);
    write(fd, "\177ELF", 4);
    close(fd);
    errno = 0;
    const int result = execl("/tmp/plain", "plain", nullptr);
    const int error = errno;
    unlink("/tmp/plain");
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EACCES, error);
}

TEST(Exec, a_file_that_is_no_program_is_ENOEXEC) {
    const int fd = open("/tmp/junk", O_WRONLY | O_CREAT, 0755);
    write(fd, "this is no program at all", 25);
    close(fd);
    errno = 0;
    const int result = execl("/tmp/junk", "junk", nullptr);
    const int error = errno;
    unlink("/tmp/junk");
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(ENOEXEC, error);
}

TEST(Exec, a_wild_pointer_for_a_path_is_EFAULT) {
    FAILS_WITH(EFAULT, execve(reinterpret_cast<const char*>(0x123456789000), nullptr, nullptr));
}

TEST(Exec, too_many_arguments_are_E2BIG) {
    constexpr int count = 3000;
    static char* arguments[count + 1];
    static char long_one[100];
    memset(long_one, 'x', sizeof long_one - 1);
    for (int i = 0; i < count; ++i) {
        arguments[i] = long_one;
    }
    FAILS_WITH(E2BIG, execv("/bin/true", arguments));
}

TEST(Exec, descriptors_marked_close_on_exec_are_closed_others_stay) {
    const int kept = open("/dev/null", O_RDONLY);
    const int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char command[96];
    snprintf(command, sizeof command, "exec 2>/dev/null; (exec <&%d) && ! (exec <&%d)", kept, closed);
    const int status = in_child([&] { return execl("/bin/sh", "sh", "-c", command, nullptr); });
    close(kept);
    close(closed);
    LONGS_EQUAL(0, exited(status));
}

TEST(Exec, handlers_go_back_to_the_default_ignored_signals_stay_ignored) {
    const int status = in_child([] {
        signal(SIGUSR1, SIG_IGN);
        return execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 5", nullptr);
    });
    LONGS_EQUAL(5, exited(status));
}

TEST(Exec, PATH_is_searched) {
    setenv("PATH", "/nowhere:/bin", 1);
    LONGS_EQUAL(1, exited(in_child([] { return execlp("false", "false", nullptr) + 100; })));
}

// Runs `command` in a shell in place of the calling process.
static int become_shell(const char* command) { return execl("/bin/sh", "sh", "-c", command, nullptr); }

ROLE(unblocks_SIGTERM) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    return 0;
}

TEST(Exec, the_signal_mask_and_what_is_pending_stay) {
    LONGS_EQUAL(SIGTERM, killed_by(in_child([] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        raise(SIGTERM);
        return become("unblocks_SIGTERM");
    })));
}

static pid_t expected[3];
ROLE(tells_who_it_is) {
    const pid_t found[3] = {getpid(), getppid(), getpgrp()};
    write(STDOUT_FILENO, found, sizeof found);
    return 0;
}

TEST(Exec, pid_parent_and_group_stay) {
    Gate answer;
    LONGS_EQUAL(0, exited(in_child([&] {
        setpgid(0, 0);
        dup2(answer.writer(), STDOUT_FILENO);
        const pid_t before[3] = {getpid(), getppid(), getpgrp()};
        write(STDOUT_FILENO, before, sizeof before);
        return become("tells_who_it_is");
    })));
    pid_t found[3] = {};
    read(answer.reader(), expected, sizeof expected);
    read(answer.reader(), found, sizeof found);
    MEMCMP_EQUAL(expected, found, sizeof found);
}

TEST(Exec, the_directory_stays) {
    LONGS_EQUAL(0, exited(in_child([] {
        chdir("/tmp");
        return become_shell("test $(pwd) = /tmp");
    })));
}

ROLE(has_what_was_set) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    return umask(0) == 027 && getpriority(PRIO_PROCESS, 0) == 3 && limit.rlim_cur == 33 && limit.rlim_max == 44 ? 0 : 1;
}

TEST(Exec, limits_umask_and_nice_level_stay) {
    LONGS_EQUAL(0, exited(in_child([] {
        umask(027);
        nice(3);
        const struct rlimit limit = {33, 44};
        setrlimit(RLIMIT_NOFILE, &limit);
        return become("has_what_was_set");
    })));
}

TEST(Exec, the_offset_of_an_open_file_stays) {
    const int fd = open("/tmp/kept", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "first\nsecond\n", 13);
    lseek(fd, 6, SEEK_SET);
    char command[64];
    snprintf(command, sizeof command, "read word <&%d; test $word = second", fd);
    const int status = in_child([&] { return become_shell(command); });
    close(fd);
    unlink("/tmp/kept");
    LONGS_EQUAL(0, exited(status));
}

TEST(Exec, a_set_user_id_program_runs_as_its_owner) {
    LONGS_EQUAL(0, system("cp /bin/tools /tmp/id && chmod 4755 /tmp/id"));
    Gate answer;
    const int status = in_child([&] {
        setuid(1000);
        dup2(answer.writer(), STDOUT_FILENO);
        return execl("/tmp/id", "id", nullptr);
    });
    char text[128] = "";
    read(answer.reader(), text, sizeof text - 1);
    unlink("/tmp/id");
    LONGS_EQUAL(0, exited(status));
    STRCMP_CONTAINS("uid=1000", text);
    STRCMP_CONTAINS("euid=0", text);
}

TEST(Exec, a_user_without_the_right_to_execute_gets_EACCES) {
    close(open("/tmp/mine", O_WRONLY | O_CREAT, 0700));
    const int status = in_child([] {
        setuid(1000);
        return execl("/tmp/mine", "mine", nullptr) == -1 ? errno : 0;
    });
    unlink("/tmp/mine");
    LONGS_EQUAL(EACCES, exited(status));
}

TEST(Exec, a_program_cut_short_is_ENOEXEC_and_the_caller_goes_on) {
    char head[64] = "";
    const int whole = open(program_path, O_RDONLY), cut = open("/tmp/cut", O_WRONLY | O_CREAT | O_TRUNC, 0755);
    const int got = read(whole, head, sizeof head), put = write(cut, head, sizeof head);
    close(whole);
    close(cut);
    errno = 0;
    const int result = execl("/tmp/cut", "cut", nullptr), error = errno;
    unlink("/tmp/cut");
    LONGS_EQUAL(sizeof head, got);
    LONGS_EQUAL(sizeof head, put);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(ENOEXEC, error);
}

static int* const far_away = reinterpret_cast<int*>(0x30000000);
ROLE(looks_far_away) {
    return *const_cast<volatile int*>(far_away);
}

TEST(Exec, the_old_memory_is_gone) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        void* old = mmap(far_away, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        *far_away = 1;
        return old == far_away && *far_away == 1 ? become("looks_far_away") : 1;
    })));
}

ROLE(counts_its_threads) {
    static ForkloreProcInfo list[256];
    const int count = proc_list(list, 256);
    for (int i = 0; i < count && i < 256; ++i) {
        if (list[i].pid == getpid()) {
            return list[i].threads;
        }
    }
    return 0;
}

TEST(Exec, all_other_threads_end) {
    LONGS_EQUAL(1, exited(in_child([] {
        pthread_t threads[3];
        for (pthread_t& thread : threads) {
            pthread_create(&thread, nullptr, [](void*) -> void* {
                for (;;) {
                    sched_yield();
                }
            }, nullptr);
        }
        return become("counts_its_threads");
    })));
}

TEST(Exec, a_thread_that_is_not_the_first_may_call_it) {
    LONGS_EQUAL(1, exited(in_child([] {
        pthread_t thread;
        pthread_create(&thread, nullptr, [](void*) -> void* {
            execl("/bin/false", "false", nullptr);
            return nullptr;
        }, nullptr);
        for (;;) {
            pause();
        }
        return 0;
    })));
}
