// forktest: forks until the kernel says no, checks every child, and does it again.
//
// Each child computes from its own number, writes into the memory it got from the parent, and tells by its exit status;
// the parent's memory must be as it was. usage: forktest [rounds]
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forklore/forklore.h"

namespace {

constexpr int most_children = 4096;
constexpr size_t words = 3 * 4096 / sizeof(unsigned);
unsigned shared_before_fork[words];
pid_t children[most_children];

int expected_status(int number) { return (number * 37 + 11) % 251; }

// The child's part: its memory is the parent's at the fork, and what it writes is its own.
[[noreturn]] void be_child(int number) {
    for (size_t i = 0; i < words; ++i) {
        if (shared_before_fork[i] != i) {
            _exit(252);
        }
        shared_before_fork[i] = static_cast<unsigned>(number);
    }
    for (size_t i = 0; i < words; ++i) {
        if (shared_before_fork[i] != static_cast<unsigned>(number)) {
            _exit(253);
        }
    }
    _exit(expected_status(number));
}

// Collects `count` children; the number of mistakes.
int collect(int count) {
    int mistakes = 0;
    for (int i = 0; i < count; ++i) {
        int status = 0;
        const pid_t got = waitpid(children[i], &status, 0);
        if (got != children[i] || !WIFEXITED(status) || WEXITSTATUS(status) != expected_status(i)) {
            printf("forktest: child %d (pid %d): wait gave %d, status %#x\n", i, static_cast<int>(children[i]),
                   static_cast<int>(got), static_cast<unsigned>(status));
            ++mistakes;
        }
    }
    return mistakes;
}

int one_round(int round) {
    int count = 0;
    int error = 0;
    fflush(stdout);
    while (count < most_children) {
        const pid_t child = fork();
        if (child == 0) {
            be_child(count);
        }
        if (child < 0) {
            error = errno;
            break;
        }
        children[count++] = child;
    }
    int mistakes = collect(count);
    for (size_t i = 0; i < words; ++i) {
        mistakes += shared_before_fork[i] != i;
    }
    if (error != 0 && error != EAGAIN && error != ENOMEM) {
        ++mistakes;
    }
    printf("forktest: round %d: %d children, then %s; %d mistakes\n", round, count, error != 0 ? strerror(error) : "enough",
           mistakes);
    return mistakes;
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 3;
    if (rounds <= 0) {
        fprintf(stderr, "usage: forktest [rounds]\n");
        return 2;
    }
    for (size_t i = 0; i < words; ++i) {
        shared_before_fork[i] = static_cast<unsigned>(i);
    }
    int mistakes = 0;
    for (int round = 1; round <= rounds; ++round) {
        mistakes += one_round(round);
    }
    return mistakes == 0 ? 0 : 1;
}
