// Job control: stopping and continuing a process.
#pragma once

#include "kernel/proc/proc.h"

// The process stops by `signal`, which is pending for it until then: all its threads are told, its parent is told. False if
// it may not: its group is orphaned (but for SIGSTOP), it is ending, or a continue came in between and took the signal back.
bool begin_stop(Proc& proc, int signal);
// The current thread sleeps until its process is continued, or until it must end itself or its loan (Terminate, Kill).
// The first to wake tells the parent of a continue.
void sleep_while_stopped(Proc& proc);
