// How a job's processes are made and let go together.
#include "user/programs/sh/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "user/programs/sh/execute_kinds.h"
#include "user/programs/sh/jobs.h"
#include "user/programs/sh/shell.h"

namespace {

constexpr int shell_signals[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};

// Ctrl-C and Ctrl-Z wait while the child still has the shell's handler for them.
class InterruptsHeld {
public:
    InterruptsHeld() {
        sigset_t keyboard;
        sigemptyset(&keyboard);
        sigaddset(&keyboard, SIGINT);
        sigaddset(&keyboard, SIGTSTP);
        sigprocmask(SIG_BLOCK, &keyboard, &before_);
    }
    ~InterruptsHeld() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
    InterruptsHeld(const InterruptsHeld&) = delete;

private:
    sigset_t before_;
};

}  // namespace

Launch::Launch(Where where) : where_(where) {
    // Without a gate, when there are no descriptors left, the job only starts less well.
    if (shell.interactive && pipe(gate_) == 0) {
        fcntl(gate_[0], F_SETFD, FD_CLOEXEC);
        fcntl(gate_[1], F_SETFD, FD_CLOEXEC);
    }
}

pid_t Launch::fork() {
    const pid_t child = make_process();
    if (child == 0) {
        wait_at_gate();
    }
    return child;
}

pid_t Launch::make_process() {
    fflush(stdout);
    InterruptsHeld held;
    const pid_t child = ::fork();
    if (child < 0) {
        complain_about("cannot fork");
        return child;
    }
    if (shell.interactive) {
        const pid_t member = child != 0 ? child : getpid();
        setpgid(member, children_.empty() ? member : children_[0]);
    }
    if (child == 0) {
        shell.interactive = false;
        for (const int signal_number : shell_signals) {
            signal(signal_number, SIG_DFL);
        }
    } else {
        children_.add(child);
    }
    return child;
}

// The gate is open when nobody holds its other end any more.
void Launch::wait_at_gate() {
    if (gate_[0] >= 0) {
        close(gate_[1]);
        char none;
        while (read(gate_[0], &none, 1) < 0 && errno == EINTR) {
        }
        close(gate_[0]);
    }
    gate_[0] = gate_[1] = -1;
    gone_ = true;
}

void Launch::go() {
    if (gone_) {
        return;
    }
    gone_ = true;
    if (shell.interactive && where_ == Where::Foreground && !children_.empty()) {
        tcsetpgrp(STDIN_FILENO, children_[0]);
        if (interrupted) {
            kill(-children_[0], interrupted);   // typed while the terminal was still ours
            interrupted = 0;
        }
    }
    if (gate_[0] >= 0) {
        close(gate_[0]);
        close(gate_[1]);
    }
}

int Launch::wait(const char* text) {
    go();
    return children_.empty() ? cannot_execute : jobs::run_foreground(children_, text);
}
