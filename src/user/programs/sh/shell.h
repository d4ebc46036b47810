// What the shell knows about itself: one of these.
#pragma once

#include <sys/types.h>

#include "user/programs/sh/text.h"

struct Node;

// Why commands are being left without being finished.
enum class Leaving { Nothing, Exit, Return, Break, Continue };

struct Shell {
    bool interactive = false;       // prompts, and gives jobs groups of their own
    bool stop_on_error = false;     // set -e
    bool trace = false;             // set -x
    int last_status = 0;            // $?
    pid_t pid = 0;                  // $$, also in subshells
    pid_t last_background = 0;      // $!
    String name = "sh";             // $0, and the beginning of complaints

    Leaving leaving = Leaving::Nothing;
    int levels_to_leave = 0;        // of break and continue
    int loop_depth = 0, call_depth = 0;
};
extern Shell shell;

// The signal that ends the line that is being run: Ctrl-C or Ctrl-Z; 0 while none does.
extern volatile int interrupted;

// "sh: what: why" on the standard error.
void complain(const char* what, const char* why);
void complain_about(const char* what);   // by errno

// Runs the lines of a text; the status of the last.
int run_text(const char* text);
// Runs a file as a script in this shell; false if it cannot be read.
bool run_file(const char* path);
