// exec: a new program in the same process.
#include "support.h"

#include <sys/stat.h>

TEST("arguments reach the program") {
    EQUAL(3, exited(in_child([] { return execl("/bin/sh", "sh", "-c", "exit $#", "x", "a", "b", "c", nullptr); })));
}

TEST("the environment reaches the program") {
    char* const environment[] = {const_cast<char*>("ANSWER=42"), nullptr};
    char* const arguments[] = {const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>("exit $ANSWER"), nullptr};
    EQUAL(42, exited(in_child([&] { return execve("/bin/sh", arguments, environment); })));
}

TEST("the pid stays") {
    EQUAL(0, exited(in_child([] {
        char command[64];
        snprintf(command, sizeof command, "test $$ = %d", getpid());
        return execl("/bin/sh", "sh", "-c", command, nullptr);
    })));
}

TEST("a file that is not there is ENOENT") {
    FAILS_WITH(ENOENT, execl("/nothing", "nothing", nullptr));
}

TEST("a directory is EACCES") {
    FAILS_WITH(EACCES, execl("/bin", "bin", nullptr));
}

TEST("a file without the x bit is EACCES") {
    const int fd = open("/tmp/plain", O_WRONLY | O_CREAT, 0644);
    write(fd, "\177ELF", 4);
    close(fd);
    errno = 0;
    const int result = execl("/tmp/plain", "plain", nullptr);
    const int error = errno;
    unlink("/tmp/plain");
    EQUAL(-1, result);
    EQUAL(EACCES, error);
}

TEST("a file that is no program is ENOEXEC") {
    const int fd = open("/tmp/junk", O_WRONLY | O_CREAT, 0755);
    write(fd, "this is no program at all", 25);
    close(fd);
    errno = 0;
    const int result = execl("/tmp/junk", "junk", nullptr);
    const int error = errno;
    unlink("/tmp/junk");
    EQUAL(-1, result);
    EQUAL(ENOEXEC, error);
}

TEST("a wild pointer for a path is EFAULT") {
    FAILS_WITH(EFAULT, execve(reinterpret_cast<const char*>(0x123456789000), nullptr, nullptr));
}

TEST("too many arguments are E2BIG") {
    constexpr int count = 3000;
    static char* arguments[count + 1];
    static char long_one[100];
    memset(long_one, 'x', sizeof long_one - 1);
    for (int i = 0; i < count; ++i) {
        arguments[i] = long_one;
    }
    FAILS_WITH(E2BIG, execv("/bin/true", arguments));
}

TEST("descriptors marked close-on-exec are closed, others stay") {
    const int kept = open("/dev/null", O_RDONLY);
    const int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char command[96];
    snprintf(command, sizeof command, "exec 2>/dev/null; (exec <&%d) && ! (exec <&%d)", kept, closed);
    const int status = in_child([&] { return execl("/bin/sh", "sh", "-c", command, nullptr); });
    close(kept);
    close(closed);
    EQUAL(0, exited(status));
}

TEST("handlers go back to the default, ignored signals stay ignored") {
    const int status = in_child([] {
        signal(SIGUSR1, SIG_IGN);
        return execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 5", nullptr);
    });
    EQUAL(5, exited(status));
}

TEST("PATH is searched") {
    setenv("PATH", "/nowhere:/bin", 1);
    EQUAL(1, exited(in_child([] { return execlp("false", "false", nullptr) + 100; })));
}
