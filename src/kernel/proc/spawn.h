// posix_spawn: a new process that starts with a new program. Nothing of the caller's memory is copied or lent.
//
// The calling thread does it all: it gathers the child, which nobody sees, prepares it as the attributes and file actions say,
// loads its program, and publishes it last. So whatever fails is the caller's error, and there never was a child. Counterpart
// in the original: posix_spawn with PROC_CREATE_SPAWN, whose child exists before its program is looked for.
#pragma once

#include <string_view>

#include "abi/forklore.h"
#include "kernel/proc/proc.h"

struct SpawnRequest {
    UserAddr paths;             // a null-ended array: the first that can be executed is the program
    ForkloreSpawn attributes{}; // flags that exist, and not too many actions
    UserAddr argv, envp;        // as for exec
};

// The child's pid; it runs. As fork1 and exec; what a file action says (a number that may not be a descriptor is BadDescriptor;
// closing what is not open is no error); NotPermitted: no group of that number in the session, or a session's leader that
// should be in another group. Interrupted: the caller has been killed.
//
// The child has what fork would give it (forkproc), and the mask of the calling thread. A terminal that a file action opens
// does not become its session's.
Result<Pid> spawn(const SpawnRequest& request);

uint64_t spawns_ever();

// One after the other, on the descriptors and the directory of a child that nobody sees yet. (spawn_actions.cpp)
Result<> run_file_actions(Proc& child, const ForkloreSpawn& request);

Result<uint64_t> sys_posix_spawn(UserFrame& frame);
