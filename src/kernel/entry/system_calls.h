// The table of system calls: number to function.
#pragma once

#include "abi/forklore.h"
#include "kernel/proc/calls.h"

struct SystemCallTable {
    SystemCall calls[SYS_COUNT + 1];    // the last one, and those without a meaning, say NotImplemented
};
extern const SystemCallTable system_call_table;

inline SystemCall system_call(uint64_t number) {
    return system_call_table.calls[number < SYS_COUNT ? number : uint64_t{SYS_COUNT}];
}
