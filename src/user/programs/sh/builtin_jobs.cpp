// Built-in commands about jobs: jobs, fg, bg, wait, kill.
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "forklore/forklore.h"
#include "user/programs/sh/builtin_kinds.h"
#include "user/programs/sh/jobs.h"
#include "user/programs/sh/shell.h"

namespace {

const char* job_argument(const List<String>& words) { return words.count() > 1 ? words[1].c_str() : nullptr; }

// The job of fg and bg; null after a complaint.
jobs::Job* wanted_job(const List<String>& words) {
    if (!shell.interactive) {
        complain(words[0].c_str(), "there is no job control here");
        return nullptr;
    }
    return jobs::find(job_argument(words), words[0].c_str());
}

// "%1" is that job's group, as kill() wants it, or without job control its process; else a number.
bool kill_target(const String& word, pid_t& target) {
    if (word[0] == '%') {
        const jobs::Job* job = jobs::find(word.c_str(), "kill");
        target = job == nullptr ? 0 : shell.interactive ? -job->group() : job->last().pid;
        return job != nullptr;
    }
    long number = 0;
    if (!parse_number(word.c_str(), number)) {
        complain(word.c_str(), "neither a process nor a job");
        return false;
    }
    target = static_cast<pid_t>(number);
    return true;
}

// The signal of `kill -KILL`, `-9` or `-s KILL`; `next` is left at the first target. -1 if there is no such signal.
int wanted_signal(const List<String>& words, int& next) {
    if (next >= words.count() || words[next][0] != '-' || words[next].equals("--")) {
        next += next < words.count() && words[next].equals("--") ? 1 : 0;
        return SIGTERM;
    }
    const char* name = words[next++].c_str() + 1;
    if (strcmp(name, "s") == 0 && next < words.count()) {
        name = words[next++].c_str();
    }
    if (next < words.count() && words[next].equals("--")) {
        ++next;
    }
    return signal_number(name);
}

}  // namespace

int do_jobs(const List<String>&) {
    jobs::print();
    return 0;
}

int do_fg(const List<String>& words) {
    jobs::Job* job = wanted_job(words);
    return job != nullptr ? jobs::continue_foreground(*job) : 1;
}

int do_bg(const List<String>& words) {
    jobs::Job* job = wanted_job(words);
    return job != nullptr ? jobs::continue_background(*job) : 1;
}

int do_wait(const List<String>& words) {
    if (words.count() == 1) {
        return jobs::wait_for_all();
    }
    int status = 0;
    for (int i = 1; i < words.count(); ++i) {
        if (words[i][0] == '%') {
            const jobs::Job* job = jobs::find(words[i].c_str(), "wait");
            status = job != nullptr ? jobs::wait_for(job->last().pid) : 127;
        } else {
            long pid = 0;
            status = parse_number(words[i].c_str(), pid) ? jobs::wait_for(static_cast<pid_t>(pid)) : 127;
        }
    }
    return status;
}

// In the shell itself: it knows jobs by their numbers, and when no process can be made it still ends those that are.
int do_kill(const List<String>& words) {
    int next = 1;
    const int signal = wanted_signal(words, next);
    if (signal < 0) {
        complain("kill", "there is no such signal");
        return 2;
    }
    if (next >= words.count()) {
        fputs("usage: kill [-SIGNAL | -s SIGNAL] {PID | -GROUP | %JOB}...    (/bin/kill -l lists the signals)\n", stderr);
        return 2;
    }
    int status = 0;
    for (; next < words.count(); ++next) {
        pid_t target = 0;
        if (!kill_target(words[next], target)) {
            status = 1;
        } else if (kill(target, signal) < 0) {
            complain_about(words[next].c_str());
            status = 1;
        }
    }
    return status;
}
