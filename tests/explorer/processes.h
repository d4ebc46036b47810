// Processes under the explorer: programs are functions of the case, and call the kernel through its real door
// (handle_system_call), registers and all. What a program does between two calls is no concern of the kernel's.
#pragma once

#include <functional>

#include "explorer/explorer.h"
#include "explorer/ledger.h"
#include "kernel/proc/proc.h"

namespace explorer {

using Program = std::function<void()>;

// --- before explore(): what each schedule begins with ---

// The kernel's process and init, which collects what comes to it. Once in a test.
void start_processes(int32_t pid_max = largest_pid_max);
// A child of init that will run `program`, which must outlive the exploration. It has a page of memory at `scratch`.
Pid add_process(const Program& program);
inline constexpr UserAddr scratch{0x20'0000};

// A file that runs `program`, which must outlive the exploration, for who execs it. It has no `scratch`.
void add_program_file(const char* path, const Program& program);

// --- in a program ---

// The system call's result: negative for an error, then -errno. Signals are taken before it returns, as always; so it does
// not return if one ends the process.
int64_t call(uint64_t number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0);
// The child runs `child`, then exits with 0.
int64_t fork_to(const Program& child);
[[noreturn]] void exit_with(int code);
// Waits for `pid` (-1: any child); the child's pid or an error, and its wait status.
struct Waited {
    int64_t pid;
    int status;
};
Waited wait_for(int64_t pid, int options = 0);
// Is interrupted again and again until it ends: a program that only computes.
[[noreturn]] void compute_for_ever();
// Another thread of the process, which runs `program` and ends.
int64_t start_thread(const Program& program);
// exec of a file of add_program_file. Returns only an error; on loan also what vfork gives the lender.
int64_t execute(const char* path);
bool on_loan();

// --- anywhere ---

bool process_exists(Pid pid);       // zombies too

}  // namespace explorer
