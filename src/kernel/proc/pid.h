// Process identifiers: the next free number, with wrap and skip. The contract of lab 2; `pid.cpp` is the lab.
//
// A number is in use while a process (alive or zombie), a process group or a session has it: three uses that come and
// go on their own. Candidates rise by one; on reaching the maximum they restart at first_recycled_pid, and from then on
// a number in use is skipped. The cost of an allocation does not grow with the number of processes.
// Counterpart in the original: the nextpid loop of forkproc.
#pragma once

#include "base/result.h"
#include "base/types.h"

// Low numbers tend to belong to daemons that do not exit, so they are not tried again.
inline constexpr int32_t first_recycled_pid = 100;
inline constexpr int32_t smallest_pid_max = 110;
inline constexpr int32_t largest_pid_max = 99999;

enum class PidUse : uint8_t { Process = 1, Group = 2, Session = 4 };

// Forgets all uses; the next number is 1, and 0 is in use for ever: the kernel's own process. The two counters below go on. Numbers
// stay below `maximum`: Invalid, and nothing changed, unless it lies within smallest_pid_max..largest_pid_max. Before other cores run.
Result<> pid_init(int32_t maximum);

// The next number, in use as a Process from this moment. TryAgain if all are in use, and if the failpoint says so
// (base/failpoint.h): it is asked first, and nothing has changed then.
Result<Pid> pid_allocate();
// A further use of a number that is in use; panics if it has this use already, if the number is free, or cannot exist.
void pid_take(Pid pid, PidUse use);
// Ends one use; the number is free when it has none. Panics if it does not have this use.
void pid_release(Pid pid, PidUse use);
// False for numbers that cannot exist.
bool pid_in_use(Pid pid);

int32_t pid_maximum();
// How many numbers have a use, 0 included.
size_t pids_in_use();

// From 1; rises by one for every process ever made; never repeats.
uint64_t next_unique_id();
// Rises by one with each call, at creation and at exec: with a pid it makes a pair that never repeats.
uint32_t next_id_version();
