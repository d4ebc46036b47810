// Tests that run as programs (EL0). Each file is one program; each TEST is one sentence. A test prints `PASS group:
// sentence` or `FAIL group: sentence: why`. After each, a ledger must balance: processes, descriptors and pages.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forklore/forklore.h"

struct Test {
    const char* sentence;
    void (*run)();
    Test* next;
    static Test *first, *last;

    Test(const char* name, void (*body)()) : sentence(name), run(body), next(nullptr) {
        (last != nullptr ? last->next : first) = this;
        last = this;
    }
};
inline Test *Test::first = nullptr, *Test::last = nullptr;
inline char failure[600];   // of the test that runs; empty while all is well

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define TEST(sentence)                                                         \
    static void JOIN(test_, __LINE__)();                                       \
    static Test JOIN(entry_, __LINE__)(sentence, JOIN(test_, __LINE__));       \
    static void JOIN(test_, __LINE__)()

// Ends the test with a failure.
#define CHECK(condition)                                                                                    \
    do {                                                                                                    \
        if (!(condition)) {                                                                                 \
            snprintf(failure, sizeof failure, "line %d: %s (errno %d)", __LINE__, #condition, errno);       \
            return;                                                                                         \
        }                                                                                                   \
    } while (0)
#define EQUAL(expected, actual)                                                                             \
    do {                                                                                                    \
        const long expected_ = (long)(expected), actual_ = (long)(actual);                                  \
        if (expected_ != actual_) {                                                                         \
            snprintf(failure, sizeof failure, "line %d: %s is %ld, not %ld (errno %d)", __LINE__, #actual,  \
                     actual_, expected_, errno);                                                            \
            return;                                                                                         \
        }                                                                                                   \
    } while (0)
// The call fails with this error.
#define FAILS_WITH(error, call)     \
    do {                            \
        errno = 0;                  \
        EQUAL(-1, (call));          \
        EQUAL((error), errno);      \
    } while (0)

struct Ledger {
    long processes, free_pages;
    int descriptors;

    static Ledger now() {
        ForkloreSysinfo info;
        sysinfo(&info);
        int open = 0;
        for (int fd = 0; fd < FORKLORE_OPEN_MAX; ++fd) {
            open += fcntl(fd, F_GETFD) != -1;
        }
        return {(long)info.processes, (long)info.pages_free, open};
    }
};

// Runs `body` in a forked child; the wait status of it.
template <typename Body>
int in_child(Body body) {
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(body());
    }
    int status = -1;
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}
inline int exited(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
inline int killed_by(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : -1; }

// Zones keep some pages of what was freed; a leak of one page a test and round shows all the same.
constexpr long page_tolerance = 48;

inline const char* check_ledger(const Ledger& before) {
    const Ledger after = Ledger::now();
    static char text[96];
    if (after.descriptors != before.descriptors) {
        snprintf(text, sizeof text, "ledger: %d descriptors, before %d", after.descriptors, before.descriptors);
    } else if (after.processes != before.processes) {
        snprintf(text, sizeof text, "ledger: %ld processes, before %ld", after.processes, before.processes);
    } else if (before.free_pages - after.free_pages > page_tolerance) {
        snprintf(text, sizeof text, "ledger: %ld pages are gone", before.free_pages - after.free_pages);
    } else {
        return nullptr;
    }
    return text;
}

int main(int, char** argv) {
    const char* slash = strrchr(argv[0], '/');
    const char* group = slash != nullptr ? slash + 1 : argv[0];
    int failed = 0;
    for (Test* test = Test::first; test != nullptr; test = test->next) {
        failure[0] = '\0';
        const Ledger before = Ledger::now();
        test->run();
        while (failure[0] != '\0' && waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        const char* unbalanced = failure[0] == '\0' ? check_ledger(before) : nullptr;
        if (failure[0] == '\0' && unbalanced == nullptr) {
            printf("PASS %s: %s\n", group, test->sentence);
        } else {
            printf("FAIL %s: %s: %s\n", group, test->sentence, unbalanced != nullptr ? unbalanced : failure);
            ++failed;
        }
        fflush(stdout);
    }
    return failed != 0;
}
