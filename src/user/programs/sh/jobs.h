// The shell's jobs: their processes, states and names; the one in the foreground has the terminal.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include "user/programs/sh/text.h"

namespace jobs {

enum class State { Running, Stopped, Ended };

struct Process {
    pid_t pid;
    State state = State::Running;
    int status = 0;             // as waitpid gave it
};

struct Job {
    int number = 0;             // %1
    String text;                // what the user typed
    List<Process> processes;    // the last one's end is the job's
    bool announced = true;      // the user knows of its state
    bool has_modes = false;
    termios modes{};            // of the terminal, when it was stopped

    pid_t group() const { return processes[0].pid; }
    const Process& last() const { return processes[processes.count() - 1]; }
    State state() const;
};

// The terminal as the user wants it: jobs that stop or die do not leave theirs behind.
void remember_terminal();

// Waits for a job in the foreground and takes the terminal back; $? of its last process. If it stops it stays, as a job.
int run_foreground(const List<pid_t>& processes, const char* text);
void add_background(const List<pid_t>& processes, const char* text);
// Waits for a process that is no job: it works for the line that is being run, and has no group of its own.
int wait_helper(pid_t child);

// "%2", "%%", "%+", "2" or nullptr, the one that was stopped or started last; null after a complaint by `who`.
Job* find(const char* name, const char* who);
int continue_foreground(Job& job);
int continue_background(Job& job);
// wait: for a process of ours; 127 if it is none. And for all that run.
int wait_for(pid_t child);
int wait_for_all();
void report_changes();          // before a prompt
void print();                   // jobs

}  // namespace jobs
