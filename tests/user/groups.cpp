// Process groups and sessions.
#include "support.h"

TEST("a child is in its parent's group and session") {
    const pid_t group = getpgrp(), session = getsid(0);
    EQUAL(1, exited(in_child([&] { return getpgrp() == group && getsid(0) == session; })));
}

TEST("setpgid makes a group of one's own") {
    EQUAL(1, exited(in_child([] { return setpgid(0, 0) == 0 && getpgrp() == getpid(); })));
}

TEST("setsid makes a session, whose leader leads a group") {
    EQUAL(1, exited(in_child([] { return setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid(); })));
}

TEST("a group leader cannot make a session") {
    EQUAL(EPERM, exited(in_child([] {
        setpgid(0, 0);
        return setsid() == -1 ? errno : 0;
    })));
}

TEST("a group that is in no session of ours cannot be joined") {
    EQUAL(EPERM, exited(in_child([] { return setpgid(0, 77777) == -1 ? errno : 0; })));
}

TEST("kill reaches every member of a group") {
    int ready[2];
    CHECK(pipe(ready) == 0);
    pid_t first = 0;
    pid_t pids[3];
    for (pid_t& pid : pids) {
        pid = fork();
        if (pid == 0) {
            setpgid(0, first);
            write(ready[1], "r", 1);
            for (;;) {
                pause();
            }
        }
        setpgid(pid, first);
        first = first != 0 ? first : pid;
        char byte;
        read(ready[0], &byte, 1);
    }
    close(ready[0]);
    close(ready[1]);
    EQUAL(0, kill(-first, SIGTERM));
    int ended = 0;
    for (const pid_t pid : pids) {
        int status;
        ended += waitpid(pid, &status, 0) == pid && killed_by(status) == SIGTERM;
    }
    EQUAL(3, ended);
}

TEST("a user cannot signal another's process") {
    EQUAL(EPERM, exited(in_child([] {
        setuid(1000);
        return kill(1, SIGTERM) == -1 ? errno : 0;
    })));
}
