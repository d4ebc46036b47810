// The table of system calls: number to function.
#pragma once

#include "kernel/proc/calls.h"

// nullptr for a number that means nothing.
SystemCall system_call(uint64_t number);
