// exec: a new program in an old process. ELF64 for aarch64, and scripts that start with "#!".
//
// Everything that can fail happens before one marked line; until then the old program is untouched. While the thread is
// on loan, the child gets a task and a thread of its own and the lender returns from vfork.
#pragma once

#include <string_view>

#include "kernel/proc/proc.h"

// Replaces the current process's program. On success `frame` is the new program's first (or, on loan, the lender's return
// from vfork).
Result<> exec(UserFrame& frame, std::string_view path, UserAddr argv, UserAddr envp);

// The same for the first process: no arguments but the path, and a plain environment.
Result<> exec_first(UserFrame& frame, const char* path);

Result<uint64_t> sys_execve(UserFrame& frame);
