// wait: statuses, selectors, options, orphans.
#include "support.h"

#include <sys/resource.h>

TEST("without children it is ECHILD") {
    FAILS_WITH(ECHILD, wait(nullptr));
}

TEST("somebody else's process is ECHILD") {
    FAILS_WITH(ECHILD, waitpid(1, nullptr, 0));
}

TEST("WNOHANG returns 0 while the child runs") {
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
        char byte;
        read(go[0], &byte, 1);
        _exit(0);
    }
    const pid_t result = waitpid(pid, nullptr, WNOHANG);
    write(go[1], "x", 1);
    close(go[0]);
    close(go[1]);
    EQUAL(pid, waitpid(pid, nullptr, 0));
    EQUAL(0, result);
}

TEST("the exit status is the low eight bits") {
    EQUAL(0x34, exited(in_child([] { return 0x1234; })));
}

TEST("a child is waited for once") {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    EQUAL(pid, waitpid(pid, nullptr, 0));
    FAILS_WITH(ECHILD, waitpid(pid, nullptr, 0));
}

TEST("a signal's number is in the status") {
    EQUAL(SIGTERM, killed_by(in_child([] {
        raise(SIGTERM);
        return 0;
    })));
}

TEST("any child of a group can be waited for") {
    const pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        _exit(8);
    }
    setpgid(pid, pid);
    int status;
    EQUAL(pid, waitpid(-pid, &status, 0));
    EQUAL(8, exited(status));
}

TEST("an unknown option is EINVAL") {
    FAILS_WITH(EINVAL, waitpid(-1, nullptr, 0x4000));
}

TEST("a bad address for the status is EFAULT") {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    errno = 0;
    const pid_t result = waitpid(pid, reinterpret_cast<int*>(8), 0);
    const int error = errno;
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    EQUAL(-1, result);
    EQUAL(EFAULT, error);
}

TEST("an orphan's new parent is init") {
    int answer[2];
    CHECK(pipe(answer) == 0);
    in_child([&] {
        if (fork() == 0) {
            while (getppid() != 1) {
                usleep(1000);
            }
            write(answer[1], "i", 1);
            _exit(0);
        }
        return 0;
    });
    char byte = 0;
    read(answer[0], &byte, 1);
    close(answer[0]);
    close(answer[1]);
    usleep(20000);
    EQUAL('i', byte);
}

TEST("a stopped child is reported with WUNTRACED, and a continued one goes on") {
    const pid_t pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(4);
    }
    int status;
    EQUAL(pid, waitpid(pid, &status, WUNTRACED));
    CHECK(WIFSTOPPED(status));
    EQUAL(SIGSTOP, WSTOPSIG(status));
    kill(pid, SIGCONT);
    EQUAL(pid, waitpid(pid, &status, 0));
    EQUAL(4, exited(status));
}
