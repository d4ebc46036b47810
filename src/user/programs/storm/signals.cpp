// Ends by signals, handlers, stops, groups, sessions, timers, pipes.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kinds.h"

namespace storm {

namespace {

[[noreturn]] void wait_for_the_end(Random& random) {
    const unsigned way = random.below(4);
    int ends[2] = {-1, -1};
    if (way == 2 && pipe(ends) != 0) {
        ends[0] = -1;
    }
    for (;;) {
        char byte;
        sigset_t none = 0;
        switch (way) {
        case 0: break;
        case 1: sched_yield(); break;
        case 2: (void)!read(ends[0], &byte, 1); break;
        default: sigsuspend(&none); break;
        }
    }
}

// A child that ends by a signal alone; -1 if there is no room for one.
pid_t waiting_child(Lifeline& line, Random& random) {
    if (!line.ok()) {
        return -1;
    }
    Random for_child(random.next());
    const pid_t pid = try_fork();
    if (pid == 0) {
        line.in_child();
        wait_for_the_end(for_child);
    }
    return pid;
}

void expect_end_by(Lifeline& line, pid_t pid, int signal) {
    line.wait_for_end();
    let_go(pid);
    expect_signal(pid, signal);
}

void killed(Random& random) {
    constexpr int deadly[] = {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGALRM};
    const int signal = deadly[random.below(6)];
    Lifeline line;
    const pid_t pid = waiting_child(line, random);
    if (pid < 0) {
        return;
    }
    pause_a_little(random);
    EXPECT(kill(pid, signal) == 0);
    expect_end_by(line, pid, signal);
}

// A process is killed at any point of making and collecting children.
void killed_while_making_children(Random& random) {
    Lifeline line;
    if (!line.ok()) {
        return;
    }
    const pid_t pid = try_fork();
    if (pid == 0) {
        line.in_child();
        for (unsigned left = random.below(12);;) {
            if (left-- == 0) {
                wait_for_the_end(random);
            }
            const pid_t child = fork();
            if (child == 0) {
                _exit(0);       // of no claim: init may collect it at any time
            }
            if (child > 0) {
                count_process(child);
                if (random.chance(2)) {
                    waitpid(child, nullptr, 0);
                }
            } else {
                sched_yield();
            }
        }
    }
    if (pid < 0) {
        return;
    }
    for (unsigned turns = random.below(40); turns > 0; --turns) {
        sched_yield();
    }
    EXPECT(kill(pid, SIGKILL) == 0);
    expect_end_by(line, pid, SIGKILL);
}

volatile sig_atomic_t handled;
void count_signal(int) { handled = handled + 1; }

void handled_signals(Random& random) {
    handled = 0;
    signal(SIGUSR1, count_signal);
    const int status = static_cast<int>(random.below(256));
    const unsigned times = 1 + random.below(5);
    const pid_t pid = try_fork();
    if (pid == 0) {
        while (handled == 0) {
            sched_yield();
        }
        leave(status);
    }
    if (pid > 0) {
        for (unsigned i = 0; i < times; ++i) {
            EXPECT(kill(pid, SIGUSR1) == 0);    // also to the zombie, which is still there
        }
        expect_exit(pid, status);
    }
    signal(SIGUSR1, SIG_DFL);
}

void stopped_and_continued(Random& random) {
    Lifeline line;
    const pid_t pid = waiting_child(line, random);
    if (pid < 0) {
        return;
    }
    int status = 0;
    pause_a_little(random);
    EXPECT(kill(pid, SIGSTOP) == 0);
    EXPECT(waitpid(pid, &status, WUNTRACED) == pid);
    EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    if (random.chance(2)) {
        EXPECT(kill(pid, SIGCONT) == 0);
        EXPECT(waitpid(pid, &status, WCONTINUED) == pid);
        pause_a_little(random);
    }
    EXPECT(kill(pid, SIGKILL) == 0);        // ends a stopped one too
    expect_end_by(line, pid, SIGKILL);
}

// Parent and child both set the child's group; one signal ends the group.
void a_group(Random& random) {
    constexpr unsigned most = 4;
    pid_t members[most];
    unsigned count = 0;
    Lifeline line;
    if (!line.ok()) {
        return;
    }
    const unsigned wanted = 1 + random.below(most);
    for (unsigned i = 0; i < wanted; ++i) {
        const pid_t leader = count > 0 ? members[0] : 0;
        Random for_child(random.next());
        const pid_t pid = try_fork();
        if (pid == 0) {
            line.in_child();
            EXPECT(setpgid(0, leader) == 0);
            EXPECT(getpgid(0) == (leader != 0 ? leader : getpid()));
            wait_for_the_end(for_child);
        }
        if (pid < 0) {
            break;
        }
        EXPECT(setpgid(pid, leader) == 0);
        members[count++] = pid;
    }
    if (count == 0) {
        return;
    }
    pause_a_little(random);
    EXPECT(kill(-members[0], SIGTERM) == 0);
    line.wait_for_end();
    for (unsigned i = 0; i < count; ++i) {
        let_go(members[i]);
    }
    for (unsigned i = 0; i < count; ++i) {
        int status = 0;
        const pid_t got = waitpid(-members[0], &status, 0);
        EXPECT(got > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    }
}

// A session whose leader ends before its members: its number is not given away while they live.
void a_session(Random& random) {
    const int status = static_cast<int>(random.below(256));
    const pid_t pid = try_fork();
    if (pid == 0) {
        EXPECT(setsid() == getpid());
        EXPECT(setsid() == -1 && errno == EPERM);
        const pid_t session = getpid();
        board->orphans.fetch_add(1);
        const pid_t member = try_fork();
        if (member == 0) {
            while (getppid() == session) {
                sched_yield();
            }
            pause_a_little(random);
            EXPECT(getsid(0) == session && getpgid(0) == session);
            EXPECT(board->living[session].load() == 0);     // nobody else got the number
            let_go(getpid());
            board->orphans.fetch_sub(1);
            _exit(0);
        }
        if (member < 0) {
            board->orphans.fetch_sub(1);
        }
        leave(status);
    }
    if (pid > 0) {
        expect_exit(pid, status);
    }
}

void ended_by_its_alarm(Random& random) {
    Lifeline line;
    if (!line.ok()) {
        return;
    }
    Random for_child(random.next());
    const pid_t pid = try_fork();
    if (pid == 0) {
        line.in_child();
        const struct itimerval soon = {{0, 0}, {0, 1 + static_cast<suseconds_t>(random.below(2000))}};
        EXPECT(setitimer(ITIMER_REAL, &soon, nullptr) == 0);
        wait_for_the_end(for_child);
    }
    if (pid > 0) {
        expect_end_by(line, pid, SIGALRM);
    }
}

// A stream of bytes that must arrive whole, or a writer that ends by SIGPIPE.
void a_stream(Random& random) {
    int ends[2];
    if (pipe(ends) != 0) {
        count_refusal();
        return;
    }
    const bool breaks = random.chance(4);
    const unsigned bytes = 1 + random.below(10000);
    const uint64_t seed = random.next();
    const pid_t pid = try_fork();
    if (pid == 0) {
        close(ends[0]);
        if (breaks) {
            let_go(getpid());
        }
        Random content(seed);
        char piece[500];
        for (unsigned sent = 0; sent < bytes || breaks;) {
            unsigned length = 0;
            while (length < sizeof piece && (sent + length < bytes || breaks)) {
                piece[length++] = static_cast<char>(content.next());
            }
            if (!EXPECT(write(ends[1], piece, length) == static_cast<ssize_t>(length))) {
                break;
            }
            sent += length;
        }
        leave(0);
    }
    close(ends[1]);
    if (pid > 0) {
        Random content(seed);
        char piece[300];
        unsigned total = 0;
        bool same = true;
        ssize_t got;
        while ((!breaks || total < bytes) && (got = read(ends[0], piece, sizeof piece)) > 0) {
            for (ssize_t i = 0; i < got; ++i) {
                same = same && piece[i] == static_cast<char>(content.next());
            }
            total += static_cast<unsigned>(got);
        }
        EXPECT(same);
        close(ends[0]);
        if (breaks) {
            expect_signal(pid, SIGPIPE);
        } else {
            EXPECT(total == bytes);
            expect_exit(pid, 0);
        }
    } else {
        close(ends[0]);
    }
}

}  // namespace

const Kind signal_kinds[] = {
    {"killed", 12, killed},
    {"killed-forking", 4, killed_while_making_children},
    {"handled", 6, handled_signals},
    {"stopped", 6, stopped_and_continued},
    {"group", 6, a_group},
    {"session", 6, a_session},
    {"alarm", 4, ended_by_its_alarm},
    {"stream", 6, a_stream},
    {nullptr, 0, nullptr},
};

}  // namespace storm
