// The end of a process and its collection. Counterpart in the original: exit1, reap_child_locked, wait4.
#pragma once

#include "kernel/proc/proc.h"

// Wait statuses as <sys/wait.h> takes them apart.
constexpr int status_of_exit(int code) { return (code & 0xff) << 8; }
constexpr int status_of_signal(int signal) { return signal; }
constexpr int status_of_stop(int signal) { return signal << 8 | 0x7f; }
inline constexpr int status_of_continue = 0xffff;
// How one reads in the siginfo of SIGCHLD and of waitid.
ForkloreSiginfo siginfo_of_child(Pid pid, int wait_status);

// Ends the current process (which is not on loan): its other threads first, then everything it holds; it becomes a
// zombie. The current thread ends.
[[noreturn]] void exit1(int wait_status);

// Only the current thread ends; the process goes on unless it was the last.
[[noreturn]] void thread_terminate();

// The process starts to end: no more children, alarms or stops. False if it had started already.
bool begin_exit(Proc& proc);

// Drops all that a process without threads still holds and makes it a zombie: children to init, groups told, parent told.
void become_zombie(Proc& proc, int wait_status);

// All other threads of the current process are told to end; returns when they have. Interrupted if another thread of the
// process does the same and won: then this one must end.
Result<> become_only_thread();

Result<uint64_t> sys_exit(UserFrame& frame);
Result<uint64_t> sys_wait4(UserFrame& frame);
