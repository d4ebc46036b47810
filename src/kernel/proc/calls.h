// The system calls that are neither about files nor part of a lab: one declaration each, for the table in kernel/entry.
#pragma once

#include "abi/forklore.h"
#include "base/result.h"
#include "base/types.h"
#include "machine/user_frame.h"

using SystemCall = Result<uint64_t> (*)(UserFrame& frame);

// identity_calls.cpp
Result<uint64_t> sys_getpid(UserFrame& frame);
Result<uint64_t> sys_getppid(UserFrame& frame);
Result<uint64_t> sys_getuid(UserFrame& frame);
Result<uint64_t> sys_geteuid(UserFrame& frame);
Result<uint64_t> sys_getgid(UserFrame& frame);
Result<uint64_t> sys_getegid(UserFrame& frame);
Result<uint64_t> sys_setuid(UserFrame& frame);
Result<uint64_t> sys_setgid(UserFrame& frame);
Result<uint64_t> sys_getgroups(UserFrame& frame);
Result<uint64_t> sys_setgroups(UserFrame& frame);

// trait_calls.cpp
Result<uint64_t> sys_trait(UserFrame& frame);

// belonging.cpp
Result<uint64_t> sys_coalition_list(UserFrame& frame);
Result<uint64_t> sys_persona(UserFrame& frame);

// audit.cpp
Result<uint64_t> sys_audit_identity(UserFrame& frame);
Result<uint64_t> sys_audit_read(UserFrame& frame);
Result<uint64_t> sys_audit_control(UserFrame& frame);

// wait.cpp
Result<uint64_t> sys_waitid(UserFrame& frame);

// signal_wait.cpp
Result<uint64_t> sys_sigsuspend(UserFrame& frame);
Result<uint64_t> sys_sigtimedwait(UserFrame& frame);

// signal_stack.cpp
Result<uint64_t> sys_sigaltstack(UserFrame& frame);

// limit_calls.cpp
Result<uint64_t> sys_getrlimit(UserFrame& frame);
Result<uint64_t> sys_setrlimit(UserFrame& frame);
Result<uint64_t> sys_getrusage(UserFrame& frame);
Result<uint64_t> sys_getpriority(UserFrame& frame);
Result<uint64_t> sys_setpriority(UserFrame& frame);

// memory_pressure.cpp
Result<uint64_t> sys_memory_band(UserFrame& frame);

// thread_calls.cpp
Result<uint64_t> sys_gettid(UserFrame& frame);
Result<uint64_t> sys_sched_yield(UserFrame& frame);
Result<uint64_t> sys_thread_create(UserFrame& frame);
Result<uint64_t> sys_thread_exit(UserFrame& frame);
Result<uint64_t> sys_futex_wait(UserFrame& frame);
Result<uint64_t> sys_futex_wake(UserFrame& frame);

// memory_calls.cpp
Result<uint64_t> sys_brk(UserFrame& frame);
Result<uint64_t> sys_mmap(UserFrame& frame);
Result<uint64_t> sys_munmap(UserFrame& frame);
Result<uint64_t> sys_mprotect(UserFrame& frame);

// segment_calls.cpp
Result<uint64_t> sys_shmget(UserFrame& frame);
Result<uint64_t> sys_shmat(UserFrame& frame);
Result<uint64_t> sys_shmdt(UserFrame& frame);
Result<uint64_t> sys_shmctl(UserFrame& frame);

// memory_map_calls.cpp
Result<uint64_t> sys_region_list(UserFrame& frame);
Result<uint64_t> sys_page_list(UserFrame& frame);

// event_calls.cpp
Result<uint64_t> sys_kqueue(UserFrame& frame);
Result<uint64_t> sys_kevent(UserFrame& frame);

// time_calls.cpp
Result<uint64_t> sys_clock_gettime(UserFrame& frame);
Result<uint64_t> sys_clock_settime(UserFrame& frame);
Result<uint64_t> sys_nanosleep(UserFrame& frame);
Result<uint64_t> sys_setitimer(UserFrame& frame);
Result<uint64_t> sys_getitimer(UserFrame& frame);

// system_info_calls.cpp
Result<uint64_t> sys_getrandom(UserFrame& frame);
Result<uint64_t> sys_uname(UserFrame& frame);
Result<uint64_t> sys_sysinfo(UserFrame& frame);
Result<uint64_t> sys_proc_list(UserFrame& frame);
Result<uint64_t> sys_zone_list(UserFrame& frame);
Result<uint64_t> sys_reboot(UserFrame& frame);
Result<uint64_t> sys_klog(UserFrame& frame);
