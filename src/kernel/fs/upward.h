// What the file system asks of the processes above it: declared here, defined in kernel/proc.
//
// "Current" is the process that the current thread acts as. A kernel thread has none: signals to it are nothing, and its
// JobIdentity is the kernel's.
#pragma once

#include "base/types.h"

class Terminal;

// Sends `signal` to every process of the group, if it is one of the session's: the number of a group that ended may be a
// stranger's by now. Any context, interrupts too; no spin lock of rank Families or above held.
void signal_foreground_group(Pid session, Pid group, int signal);

// Sends `signal` to the current thread's process: SIGPIPE, SIGXFSZ. No spin lock held.
void signal_current(int signal);

// Who uses the terminal: the current process.
struct JobIdentity {
    Pid pid = Pid::Kernel, group = Pid::Kernel, session = Pid::Kernel;
    bool has_terminal = false;      // the terminal of its session, if there is one, controls it
    bool is_root = true;
};
JobIdentity current_job();

// A process in the background touched its terminal: `signal` (SIGTTIN, SIGTTOU) to its group, unless it is ignored
// or blocked by the current process, or the group is orphaned. No spin lock held.
enum class BackgroundVerdict { Sent, Ignored, Orphaned };
BackgroundVerdict signal_background_group(int signal);
// The current process's session gets this controlling terminal; false if it has one already. No spin lock held.
bool session_takes_terminal(Terminal& terminal);
// The session of a process group; Pid::None if there is no such group.
Pid session_of_group(Pid group);

// Random bytes, any number, any context: what the random pool of boot/main.cpp gives.
void random_fill(void* output, size_t bytes);
