// Job control as far as Ctrl-C needs it: each job is a process group, the one in the foreground has the terminal.
#include "user/programs/sh/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/programs/sh/shell.h"

namespace jobs {

namespace {

struct Job {
    pid_t leader;
    String text;
    bool finished = false;
    int status = 0;
};
List<Job> background;

Job* find(pid_t leader) {
    for (Job& job : background) {
        if (job.leader == leader) {
            return &job;
        }
    }
    return nullptr;
}

void note_end(pid_t child, int status) {
    if (Job* job = find(child)) {
        job->finished = true;
        job->status = status;
    }
}

// "sh: crash: Segmentation fault"; silence for Ctrl-C and a broken pipe, which the user knows of.
void tell_signal(const char* text, int status) {
    if (!WIFSIGNALED(status)) {
        return;
    }
    const int signal_number = WTERMSIG(status);
    if (signal_number == SIGINT) {
        write(STDERR_FILENO, "\n", 1);
    } else if (signal_number != SIGPIPE) {
        String why = strsignal(signal_number);
        why.append(" (signal ");
        why.append(number_text(signal_number));
        why.append(")");
        complain(text, why.c_str());
    }
}

}  // namespace

int exit_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WIFSTOPPED(status) ? 128 + WSTOPSIG(status) : WEXITSTATUS(status);
}

int wait_foreground(const List<pid_t>& children, const char* text) {
    int last = 0;
    for (const pid_t child : children) {
        int status = 0;
        pid_t got = 0;
        while ((got = waitpid(child, &status, shell.interactive ? WUNTRACED : 0)) < 0 && errno == EINTR) {
            if (shell.interactive && interrupted) {
                kill(-children[0], SIGINT);     // it was sent to the shell; the job is what the user sees
            }
        }
        if (got < 0) {
            status = 127 << 8;
        }
        if (child == children[children.count() - 1]) {
            last = status;
        }
    }
    if (shell.interactive) {
        tcsetpgrp(STDIN_FILENO, getpgrp());
    }
    if (WIFSTOPPED(last)) {
        const pid_t leader = children[0];
        kill(-leader, SIGCONT);     // without fg and bg a stopped job would stay for ever: it goes on in the background
        add_background(leader, text);
        complain(text, "stopped; it goes on in the background");
    }
    tell_signal(text, last);
    if (shell.interactive && WIFSIGNALED(last) && WTERMSIG(last) == SIGINT) {
        interrupted = 1;    // Ctrl-C went to the job's group only; the loop or list around it ends too
    }
    return exit_status(last);
}

int wait_helper(pid_t child) {
    int status = 0;
    pid_t got;
    while ((got = waitpid(child, &status, 0)) < 0 && errno == EINTR) {
    }
    return got < 0 ? 127 : exit_status(status);
}

void add_background(pid_t leader, const char* text) {
    background.add(Job{leader, text});
    shell.last_background = leader;
    if (shell.interactive) {
        fprintf(stderr, "[%d]\n", static_cast<int>(leader));
    }
}

int wait_for(pid_t child) {
    int result = child == 0 ? 0 : 127;
    while (child == 0 || find(child) != nullptr) {
        if (Job* job = find(child); job != nullptr && job->finished) {
            return exit_status(job->status);
        }
        int status = 0;
        const pid_t got = waitpid(child == 0 ? -1 : child, &status, 0);
        if (got < 0 && errno == EINTR) {
            if (interrupted) {
                return 128 + SIGINT;
            }
            continue;
        }
        if (got < 0) {
            break;
        }
        note_end(got, status);
        if (got == child) {
            return exit_status(status);
        }
    }
    return result;
}

void report_finished() {
    int status = 0;
    for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
        note_end(child, status);
    }
    for (int i = background.count() - 1; i >= 0; --i) {
        if (background[i].finished) {
            if (shell.interactive) {
                fprintf(stderr, "[%d] done: %s\n", static_cast<int>(background[i].leader), background[i].text.c_str());
            }
            background.remove(i);
        }
    }
}

void print() {
    for (const Job& job : background) {
        printf("[%d] %s: %s\n", static_cast<int>(job.leader), job.finished ? "done" : "running", job.text.c_str());
    }
    fflush(stdout);
}

}  // namespace jobs
