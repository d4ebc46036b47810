// What the tests at EL0 share. Each file of tests/user is one CppUTest program; its tests are sentences.
//
// A child never checks: it reports by its status, and the test looks afterwards. Around each test the ledger
// (support/ledger.h) is compared, so a test gives back all that it took: processes, descriptors, memory.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CppUTest/TestHarness.h"

#include "forklore/forklore.h"

// The call fails with this error.
#define FAILS_WITH(error, call)                             \
    do {                                                    \
        errno = 0;                                          \
        const long result_ = (long)(call);                  \
        const int errno_ = errno;                           \
        LONGS_EQUAL_TEXT(-1, result_, #call);               \
        LONGS_EQUAL_TEXT((error), errno_, #call);           \
    } while (0)

// Runs `body` in a forked child; the wait status of it, -1 if there was none.
template <typename Body>
int in_child(Body body) {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(body());
    }
    int status = -1;
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}
// For a child's body: ends it with the line as status.
#define LEAVE_UNLESS(condition)             \
    do {                                    \
        if (!(condition)) {                 \
            return __LINE__ % 255 + 1;      \
        }                                   \
    } while (0)
inline int exited(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
inline int killed_by(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : -1; }
inline int stopped_by(int status) { return WIFSTOPPED(status) ? WSTOPSIG(status) : -1; }

// A pipe that one side waits at until the other lets it go. Made before the fork; both ends are closed at the end of life.
class Gate {
public:
    Gate() { ok_ = pipe(ends_) == 0; }
    Gate(const Gate&) = delete;
    ~Gate() {
        if (ok_) {
            close(ends_[0]);
            close(ends_[1]);
        }
    }
    bool ok() const { return ok_; }
    void open() const { write(ends_[1], "x", 1); }
    void pass() const {
        char byte;
        while (read(ends_[0], &byte, 1) == -1 && errno == EINTR) {
        }
    }
    int reader() const { return ends_[0]; }
    int writer() const { return ends_[1]; }

private:
    bool ok_ = false;
    int ends_[2] = {-1, -1};
};

// What ps would say of a process: a ForkloreProcState, or 0 if there is none of that pid.
int state_of(pid_t pid);
// Waits until a process is in that state; false after ten guest seconds.
bool wait_for_state(pid_t pid, int state);

// Another face of the same program: what a test's child execs, `return become("name")`.
class Role {
public:
    Role(const char* name, int (*run)()) : name_(name), run_(run), next_(first_) { first_ = this; }
    static int play(const char* name);      // 127 if there is none of that name

private:
    const char* name_;
    int (*run_)();
    const Role* next_;
    static inline const Role* first_ = nullptr;
};
#define ROLE(name)                                        \
    static int role_##name();                             \
    static const Role role_entry_##name(#name, role_##name); \
    static int role_##name()
int become(const char* role);
extern const char* program_path;

// What this program takes sooner or later and keeps is taken now, so that no test is charged with it: the pages of its data,
// stack and heap, room for all descriptors.
void warm_up();
