// Job control: what became of the processes that the shell has made, and who has the terminal.
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

List<Job> table;                // in the order of their numbers
int current = 0;                // the number of the job that was stopped or started last
termios terminal;
bool terminal_known = false;

int exit_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WIFSTOPPED(status) ? 128 + WSTOPSIG(status) : WEXITSTATUS(status);
}

Job& add(const List<pid_t>& processes, const char* text) {
    Job job;
    job.number = table.empty() ? 1 : table.last().number + 1;
    job.text = text;
    for (const pid_t pid : processes) {
        job.processes.add(Process{pid});
    }
    current = job.number;
    return table.add(moved(job));
}

void remove(int number) {
    for (int i = 0; i < table.count(); ++i) {
        if (table[i].number == number) {
            table.remove(i);
            break;
        }
    }
    if (current == number) {
        current = table.empty() ? 0 : table.last().number;
    }
}

Process* find_process(pid_t pid, Job** owner = nullptr) {
    for (Job& job : table) {
        for (Process& process : job.processes) {
            if (process.pid == pid) {
                if (owner != nullptr) {
                    *owner = &job;
                }
                return &process;
            }
        }
    }
    return nullptr;
}

void note(pid_t pid, int status) {
    Job* job = nullptr;
    if (Process* process = find_process(pid, &job)) {
        process->status = status;
        process->state = WIFSTOPPED(status) ? State::Stopped : WIFCONTINUED(status) ? State::Running : State::Ended;
        job->announced = process->state == State::Running;
    }
}

// Until none of the job's processes runs.
void wait_while_running(Job& job) {
    for (Process& process : job.processes) {
        while (process.state == State::Running) {
            int status = 0;
            const pid_t got = waitpid(process.pid, &status, shell.interactive ? WUNTRACED : 0);
            if (got == process.pid) {
                note(got, status);
            } else if (errno != EINTR) {
                process.state = State::Ended;
                process.status = 127 << 8;
            } else if (shell.interactive && interrupted) {
                kill(-job.group(), interrupted);    // it was sent to the shell; the job is what the user sees
                interrupted = 0;
            }
        }
    }
}

// What became of our processes meanwhile.
void collect() {
    int status = 0;
    for (pid_t child; (child = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0;) {
        note(child, status);
    }
}

// "Segmentation fault (signal 11)"
String signal_text(int signal_number) {
    String text = strsignal(signal_number);
    text.append(" (signal ");
    text.append(number_text(signal_number));
    text.append(")");
    return text;
}

// Silence for Ctrl-C and a broken pipe, which the user knows of.
void tell_signal(const char* text, int status) {
    const int signal_number = WTERMSIG(status);
    if (signal_number == SIGINT) {
        write(STDERR_FILENO, "\n", 1);
    } else if (signal_number != SIGPIPE) {
        complain(text, signal_text(signal_number).c_str());
    }
}

String state_text(const Job& job) {
    const int status = job.last().status;
    switch (job.state()) {
    case State::Running: return "running";
    case State::Stopped: return "stopped";
    case State::Ended: break;
    }
    if (WIFSIGNALED(status)) {
        return signal_text(WTERMSIG(status));
    }
    if (WEXITSTATUS(status) == 0) {
        return "done";
    }
    String text = "exit ";
    text.append(number_text(WEXITSTATUS(status)));
    return text;
}

void tell(FILE* to, const Job& job) {
    fprintf(to, "[%d]%c %-10s %s\n", job.number, job.number == current ? '+' : ' ', state_text(job).c_str(), job.text.c_str());
}

// The job in the foreground stopped or ended: the terminal is ours again.
void take_terminal(Job& job, bool orderly) {
    tcsetpgrp(STDIN_FILENO, getpgrp());
    if (job.state() == State::Stopped) {
        job.has_modes = tcgetattr(STDIN_FILENO, &job.modes) == 0;
    }
    if (!orderly && terminal_known) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    }
}

// Waits for a job that has the terminal.
int finish_foreground(Job& job) {
    wait_while_running(job);
    const int status = job.last().status;
    const bool stopped = job.state() == State::Stopped;
    if (shell.interactive) {
        take_terminal(job, !stopped && WIFEXITED(status));
    }
    if (stopped) {
        fputc('\n', stderr);
        tell(stderr, job);
        job.announced = true;
        interrupted = SIGTSTP;      // the loop or list around it ends too
        return 128 + SIGTSTP;
    }
    if (WIFSIGNALED(status)) {
        tell_signal(job.text.c_str(), status);
        if (shell.interactive && WTERMSIG(status) == SIGINT) {
            interrupted = SIGINT;   // Ctrl-C went to the job's group only
        }
    }
    remove(job.number);
    return exit_status(status);
}

void send_continue(Job& job) {
    for (Process& process : job.processes) {
        process.state = process.state == State::Stopped ? State::Running : process.state;
    }
    current = job.number;
    kill(-job.group(), SIGCONT);
}

}  // namespace

State Job::state() const {
    State state = State::Ended;
    for (const Process& process : processes) {
        if (process.state == State::Running) {
            return State::Running;
        }
        state = process.state == State::Stopped ? State::Stopped : state;
    }
    return state;
}

void remember_terminal() { terminal_known = tcgetattr(STDIN_FILENO, &terminal) == 0; }

int run_foreground(const List<pid_t>& processes, const char* text) { return finish_foreground(add(processes, text)); }

void add_background(const List<pid_t>& processes, const char* text) {
    const Job& job = add(processes, text);
    shell.last_background = job.last().pid;
    if (shell.interactive) {
        fprintf(stderr, "[%d] %d\n", job.number, static_cast<int>(job.last().pid));
    }
}

int wait_helper(pid_t child) {
    int status = 0;
    pid_t got;
    while ((got = waitpid(child, &status, 0)) < 0 && errno == EINTR) {
    }
    return got < 0 ? 127 : exit_status(status);
}

Job* find(const char* name, const char* who) {
    long number = current;
    if (name != nullptr) {
        const char* digits = name[0] == '%' ? name + 1 : name;
        const bool newest = strcmp(name, "%") == 0 || strcmp(digits, "%") == 0 || strcmp(digits, "+") == 0;
        number = newest ? current : 0;
        if (!newest) {
            parse_number(digits, number);
        }
    }
    for (Job& job : table) {
        if (job.number == number) {
            return &job;
        }
    }
    complain(who, "there is no such job");
    return nullptr;
}

int continue_foreground(Job& job) {
    printf("%s\n", job.text.c_str());
    fflush(stdout);
    tcsetpgrp(STDIN_FILENO, job.group());
    if (job.has_modes) {
        tcsetattr(STDIN_FILENO, TCSANOW, &job.modes);
    }
    send_continue(job);
    return finish_foreground(job);
}

int continue_background(Job& job) {
    send_continue(job);
    tell(stdout, job);
    return 0;
}

int wait_for(pid_t child) {
    Job* job = nullptr;
    Process* process = find_process(child, &job);
    while (process != nullptr && process->state != State::Ended) {
        int status = 0;
        if (waitpid(child, &status, 0) == child) {
            note(child, status);
        } else if (errno == EINTR && interrupted) {
            return 128 + interrupted;
        } else if (errno != EINTR) {
            process->state = State::Ended;      // it is no child of this copy of the shell
            process->status = 127 << 8;
        }
    }
    if (process == nullptr) {
        return 127;
    }
    job->announced = true;
    const int result = exit_status(process->status);
    if (job->state() == State::Ended) {
        remove(job->number);
    }
    return result;
}

int wait_for_all() {
    for (int i = 0; i < table.count() && !interrupted;) {
        if (table[i].state() == State::Running) {
            wait_for(table[i].last().pid);
            i = 0;
        } else {
            ++i;
        }
    }
    return interrupted ? 128 + interrupted : 0;
}

void report_changes() {
    collect();
    for (int i = 0; i < table.count();) {
        Job& job = table[i];
        if (!job.announced && job.state() != State::Running && shell.interactive) {
            tell(stderr, job);
            job.announced = true;
        }
        if (job.state() == State::Ended) {
            remove(job.number);
        } else {
            ++i;
        }
    }
}

void print() {
    collect();
    for (Job& job : table) {
        tell(stdout, job);
        job.announced = true;
    }
    fflush(stdout);
}

}  // namespace jobs
