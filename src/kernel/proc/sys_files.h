// The system calls about files and names. Arguments are frame.x[0..5] (abi/forklore.h); kernel/entry has the table.
#pragma once

#include "base/result.h"
#include "kernel/fs/vnode.h"
#include "machine/user_frame.h"

// --- descriptors (sys_files.cpp) ---
Result<uint64_t> sys_read(UserFrame& frame);
Result<uint64_t> sys_write(UserFrame& frame);
Result<uint64_t> sys_readv(UserFrame& frame);
Result<uint64_t> sys_writev(UserFrame& frame);
Result<uint64_t> sys_close(UserFrame& frame);
Result<uint64_t> sys_lseek(UserFrame& frame);
Result<uint64_t> sys_fstat(UserFrame& frame);
Result<uint64_t> sys_ftruncate(UserFrame& frame);
Result<uint64_t> sys_dup(UserFrame& frame);
Result<uint64_t> sys_dup3(UserFrame& frame);
Result<uint64_t> sys_pipe2(UserFrame& frame);
Result<uint64_t> sys_fcntl(UserFrame& frame);
Result<uint64_t> sys_ioctl(UserFrame& frame);
Result<uint64_t> sys_getdents(UserFrame& frame);
Result<uint64_t> sys_poll(UserFrame& frame);

// --- names (sys_paths.cpp) ---
// A current directory must be one, and `who` may search it: NotDirectory, AccessDenied.
Result<> check_may_enter(Vnode& directory, const Identity& who);
Result<uint64_t> sys_open(UserFrame& frame);
Result<uint64_t> sys_stat(UserFrame& frame);
Result<uint64_t> sys_lstat(UserFrame& frame);
Result<uint64_t> sys_chdir(UserFrame& frame);
Result<uint64_t> sys_fchdir(UserFrame& frame);
Result<uint64_t> sys_getcwd(UserFrame& frame);
Result<uint64_t> sys_mkdir(UserFrame& frame);
Result<uint64_t> sys_rmdir(UserFrame& frame);
Result<uint64_t> sys_unlink(UserFrame& frame);
Result<uint64_t> sys_rename(UserFrame& frame);
Result<uint64_t> sys_link(UserFrame& frame);
Result<uint64_t> sys_access(UserFrame& frame);
Result<uint64_t> sys_chmod(UserFrame& frame);
Result<uint64_t> sys_truncate(UserFrame& frame);
Result<uint64_t> sys_utime(UserFrame& frame);
Result<uint64_t> sys_umask(UserFrame& frame);
