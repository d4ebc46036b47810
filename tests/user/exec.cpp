// exec: a new program in the same process.
#include "user/support/support.h"

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
