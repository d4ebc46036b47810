// Processes that the shell has made: their groups, the terminal, their ends.
#pragma once

#include <sys/types.h>

#include "user/programs/sh/text.h"

namespace jobs {

// Waits for all of a foreground job; the status of the last, in $?'s terms. Takes the terminal back.
int wait_foreground(const List<pid_t>& children, const char* text);
// Waits for a process that is no job: it works for the line that is being run, and has no group of its own.
int wait_helper(pid_t child);
void add_background(pid_t leader, const char* text);
// wait: for one, or for all (0).
int wait_for(pid_t child);
void report_finished();     // before a prompt
void print();               // jobs

// What $? is for a wait status.
int exit_status(int status);

}  // namespace jobs
