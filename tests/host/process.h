// Processes on the host: the kernel's own, init, and programs whose part the test plays.
//
// A program never runs here: a test makes one of its threads the current one (Acting) and calls what the program would
// call. A thread that ends does so by an exception, which ends_in() catches. Nothing here needs CppUTest.
#pragma once

#include <string_view>
#include <utility>

#include "host/machine/host.h"
#include "host/program_files.h"
#include "kernel/proc/pid.h"
#include "kernel/proc/proc.h"

namespace host {

// Begins with the kernel's process and init alone (they are made once and live for ever), an empty file system, and pids from
// 2 on below `pid_max`. end_processes() ends all others, with their files and threads, and takes the file system away.
void start_processes(int32_t pid_max = largest_pid_max);
void end_processes();

Proc& init();
Proc* find_process(Pid pid);            // zombies too; nullptr if there is none

// The threads of a process, in the order of their making; the lent one if it has no task.
Thread& thread_of(Proc& proc, unsigned index = 0);
// The thread that thread_start() was called with last, which is forgotten there.
Thread& take_started();

// Makes a thread the current one of this core for a scope.
class Acting {
public:
    explicit Acting(Thread& thread) : before_(&set_current(thread)) {}
    explicit Acting(Proc& proc) : Acting(thread_of(proc)) {}
    ~Acting() { set_current(*before_); }
    Acting(const Acting&) = delete;

private:
    Thread* before_;
};

void free_ended(Thread& thread);        // the memory of a thread that ended

// `thread` calls something that ends it; false if it came back.
template <typename Call>
bool ends_in(Thread& thread, Call call) {
    try {
        Acting acting(thread);
        call();
        return false;
    } catch (const ThreadExited&) {
    }
    free_ended(thread);
    return true;
}

// A process ends in whatever state it is: its loans, its other threads, its last thread.
void end(Proc& proc, int wait_status);
// The parent's wait4 without hanging: the zombie's pid, or 0, or an error.
Result<uint64_t> collect(Proc& parent, Pid pid);

}  // namespace host
