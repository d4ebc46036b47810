// The table of system calls: number to function.
#pragma once

#include "abi/forklore.h"
#include "kernel/proc/calls.h"

struct SystemCallTable {
    SystemCall calls[SYS_COUNT + 1];    // the last one, and those without a meaning, say NotImplemented
};
extern const SystemCallTable system_call_table;
// The one that programs reach: the table above, or one that traces its calls.
inline const SystemCallTable* system_calls_made = &system_call_table;
// Before the first program runs.
void trace_system_calls();

inline SystemCall system_call(uint64_t number) {
    return system_calls_made->calls[number < SYS_COUNT ? number : uint64_t{SYS_COUNT}];
}
