// fork, exit, wait, orphans, exec.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds.h"

namespace storm {

namespace {

// A child sees the memory as it was, writes its own, and sees nothing of what the parent writes meanwhile.
[[noreturn]] void be_copy(Random random, uint64_t pattern, int status) {
    bool whole = EXPECT(memory_holds(pattern));
    pause_a_little(random);
    whole = whole && EXPECT(memory_holds(pattern));
    const uint64_t own = random.next();
    fill_memory(own);
    pause_a_little(random);
    EXPECT(whole && memory_holds(own));
    leave(status);
}

void one_copy(Random& random) {
    const uint64_t pattern = random.next(), later = random.next();
    const int status = static_cast<int>(random.below(256));
    fill_memory(pattern);
    sigset_t mask = 0, before, after;
    for (int i = 0; i < 3; ++i) {
        sigaddset(&mask, 1 + static_cast<int>(random.below(31)));
    }
    sigdelset(&mask, SIGKILL);
    sigdelset(&mask, SIGSTOP);
    sigprocmask(SIG_SETMASK, &mask, &before);
    const pid_t pid = try_fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, nullptr, &after);
        EXPECT(after == mask);
        be_copy(random, pattern, status);
    }
    sigprocmask(SIG_SETMASK, &before, &after);
    EXPECT(after == mask);
    EXPECT(memory_holds(pattern));
    if (pid > 0) {
        fill_memory(later);
        expect_exit(pid, status);
        EXPECT(memory_holds(later));
    }
}

void several_collected_in_any_order(Random& random) {
    constexpr unsigned most = 6;
    pid_t children[most];
    int statuses[most];
    unsigned count = 0;
    const unsigned wanted = 2 + random.below(most - 1);
    const uint64_t pattern = random.next();
    fill_memory(pattern);
    for (unsigned i = 0; i < wanted; ++i) {
        const int status = static_cast<int>(random.below(256));
        Random for_child(random.next());
        const pid_t pid = try_fork();
        if (pid == 0) {
            be_copy(for_child, pattern, status);
        }
        if (pid < 0) {
            break;
        }
        children[count] = pid;
        statuses[count++] = status;
    }
    for (unsigned left = count; left > 0; --left) {
        int status = -1;
        const pid_t got = waitpid(-1, &status, 0);
        unsigned i = 0;
        while (i < left && children[i] != got) {
            ++i;
        }
        if (!EXPECT(i < left)) {
            return;
        }
        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == statuses[i]);
        children[i] = children[left - 1];
        statuses[i] = statuses[left - 1];
    }
    EXPECT(memory_holds(pattern));
}

// The grandchild outlives its parent, sees init as its parent, and is collected by init.
void an_orphan(Random& random) {
    const int status = static_cast<int>(random.below(256));
    const pid_t pid = try_fork();
    if (pid == 0) {
        board->orphans.fetch_add(1);
        const pid_t parent = getpid();
        const pid_t grandchild = try_fork();
        if (grandchild == 0) {
            while (getppid() == parent) {
                sched_yield();
            }
            EXPECT(getppid() == 1);
            let_go(getpid());
            board->orphans.fetch_sub(1);
            _exit(0);
        }
        if (grandchild < 0) {
            board->orphans.fetch_sub(1);
        }
        leave(status);
    }
    if (pid > 0) {
        expect_exit(pid, status);
    }
}

// Each generation makes the next, waits for it and adds one to its status.
int chain(Random& random, unsigned depth) {
    if (depth == 0) {
        return 0;
    }
    const pid_t pid = try_fork();
    if (pid == 0) {
        leave(chain(random, depth - 1));
    }
    if (pid < 0) {
        return 0;
    }
    const int status = collect(pid);
    EXPECT(WIFEXITED(status));
    return WEXITSTATUS(status) + 1;
}

void a_chain(Random& random) {
    const unsigned depth = 1 + random.below(4);
    EXPECT(chain(random, depth) <= static_cast<int>(depth));
}

void fork_and_exec(Random& random) {
    const int status = static_cast<int>(random.below(200));
    Lifeline line;
    if (!line.ok()) {
        return;
    }
    const pid_t pid = try_fork();
    if (pid == 0) {
        line.in_child();
        become_exec_child(status);
        leave(status);      // without memory for a new program
    }
    if (pid > 0) {
        line.wait_for_end();
        let_go(pid);
        expect_exit(pid, status);
    }
}

}  // namespace

const Kind process_kinds[] = {
    {"copy", 30, one_copy},
    {"several", 10, several_collected_in_any_order},
    {"orphan", 8, an_orphan},
    {"chain", 5, a_chain},
    {"exec", 8, fork_and_exec},
    {nullptr, 0, nullptr},
};

void become_exec_child(int status) {
    sigset_t mask = 0;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    char status_text[12], mask_text[20];
    snprintf(status_text, sizeof status_text, "%d", status);
    snprintf(mask_text, sizeof mask_text, "%lu", static_cast<unsigned long>(mask));
    execl("/bin/storm", "storm", "as-child", status_text, mask_text, nullptr);
    if (errno != ENOMEM && errno != EAGAIN) {
        complain("exec: errno %d", errno);
    }
    board->refused.fetch_add(1);
}

// No shared board here: a mistake is told by a status that nobody expects.
int exec_child(int argc, char** argv) {
    if (argc != 4) {
        return 254;
    }
    sigset_t mask = 0;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    if (mask != strtoul(argv[3], nullptr, 10)) {
        return 253;
    }
    return atoi(argv[2]);
}

}  // namespace storm
