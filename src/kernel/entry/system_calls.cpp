// One line a number; the linker checks that each function exists.
#include "kernel/entry/system_calls.h"

#include "abi/forklore.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/spawn.h"
#include "kernel/proc/sys_files.h"
#include "kernel/proc/vfork.h"

namespace {

Result<uint64_t> no_such_call(UserFrame&) { return Error::NotImplemented; }

constexpr SystemCallTable make_table() {
    SystemCallTable table{};
    SystemCall* calls = table.calls;
    for (SystemCall& call : table.calls) {
        call = no_such_call;
    }
    calls[SYS_exit] = sys_exit;
    calls[SYS_fork] = sys_fork;
    calls[SYS_vfork] = sys_vfork;
    calls[SYS_execve] = sys_execve;
    calls[SYS_wait4] = sys_wait4;
    calls[SYS_getpid] = sys_getpid;
    calls[SYS_getppid] = sys_getppid;
    calls[SYS_kill] = sys_kill;
    calls[SYS_getpgid] = sys_getpgid;
    calls[SYS_setpgid] = sys_setpgid;
    calls[SYS_getsid] = sys_getsid;
    calls[SYS_setsid] = sys_setsid;
    calls[SYS_getuid] = sys_getuid;
    calls[SYS_geteuid] = sys_geteuid;
    calls[SYS_getgid] = sys_getgid;
    calls[SYS_getegid] = sys_getegid;
    calls[SYS_setuid] = sys_setuid;
    calls[SYS_setgid] = sys_setgid;
    calls[SYS_getrlimit] = sys_getrlimit;
    calls[SYS_setrlimit] = sys_setrlimit;
    calls[SYS_getrusage] = sys_getrusage;
    calls[SYS_getpriority] = sys_getpriority;
    calls[SYS_setpriority] = sys_setpriority;
    calls[SYS_umask] = sys_umask;
    calls[SYS_gettid] = sys_gettid;
    calls[SYS_sched_yield] = sys_sched_yield;
    calls[SYS_thread_create] = sys_thread_create;
    calls[SYS_thread_exit] = sys_thread_exit;
    calls[SYS_futex_wait] = sys_futex_wait;
    calls[SYS_futex_wake] = sys_futex_wake;
    calls[SYS_sigaction] = sys_sigaction;
    calls[SYS_sigprocmask] = sys_sigprocmask;
    calls[SYS_sigpending] = sys_sigpending;
    calls[SYS_sigsuspend] = sys_sigsuspend;
    calls[SYS_sigreturn] = sys_sigreturn;
    calls[SYS_setitimer] = sys_setitimer;
    calls[SYS_getitimer] = sys_getitimer;
    calls[SYS_brk] = sys_brk;
    calls[SYS_mmap] = sys_mmap;
    calls[SYS_munmap] = sys_munmap;
    calls[SYS_mprotect] = sys_mprotect;
    calls[SYS_read] = sys_read;
    calls[SYS_write] = sys_write;
    calls[SYS_open] = sys_open;
    calls[SYS_close] = sys_close;
    calls[SYS_lseek] = sys_lseek;
    calls[SYS_stat] = sys_stat;
    calls[SYS_lstat] = sys_lstat;
    calls[SYS_fstat] = sys_fstat;
    calls[SYS_dup] = sys_dup;
    calls[SYS_dup3] = sys_dup3;
    calls[SYS_pipe2] = sys_pipe2;
    calls[SYS_fcntl] = sys_fcntl;
    calls[SYS_ioctl] = sys_ioctl;
    calls[SYS_getdents] = sys_getdents;
    calls[SYS_chdir] = sys_chdir;
    calls[SYS_fchdir] = sys_fchdir;
    calls[SYS_getcwd] = sys_getcwd;
    calls[SYS_mkdir] = sys_mkdir;
    calls[SYS_rmdir] = sys_rmdir;
    calls[SYS_unlink] = sys_unlink;
    calls[SYS_rename] = sys_rename;
    calls[SYS_link] = sys_link;
    calls[SYS_access] = sys_access;
    calls[SYS_chmod] = sys_chmod;
    calls[SYS_ftruncate] = sys_ftruncate;
    calls[SYS_truncate] = sys_truncate;
    calls[SYS_utime] = sys_utime;
    calls[SYS_poll] = sys_poll;
    calls[SYS_writev] = sys_writev;
    calls[SYS_readv] = sys_readv;
    calls[SYS_clock_gettime] = sys_clock_gettime;
    calls[SYS_clock_settime] = sys_clock_settime;
    calls[SYS_nanosleep] = sys_nanosleep;
    calls[SYS_getrandom] = sys_getrandom;
    calls[SYS_uname] = sys_uname;
    calls[SYS_sysinfo] = sys_sysinfo;
    calls[SYS_proc_list] = sys_proc_list;
    calls[SYS_zone_list] = sys_zone_list;
    calls[SYS_reboot] = sys_reboot;
    calls[SYS_klog] = sys_klog;
    calls[SYS_posix_spawn] = sys_posix_spawn;
    calls[SYS_waitid] = sys_waitid;
    calls[SYS_trait] = sys_trait;
    calls[SYS_sigtimedwait] = sys_sigtimedwait;
    calls[SYS_sigaltstack] = sys_sigaltstack;
    calls[SYS_getgroups] = sys_getgroups;
    calls[SYS_setgroups] = sys_setgroups;
    calls[SYS_shmget] = sys_shmget;
    calls[SYS_shmat] = sys_shmat;
    calls[SYS_shmdt] = sys_shmdt;
    calls[SYS_shmctl] = sys_shmctl;
    calls[SYS_region_list] = sys_region_list;
    calls[SYS_page_list] = sys_page_list;
    calls[SYS_kqueue] = sys_kqueue;
    calls[SYS_kevent] = sys_kevent;
    calls[SYS_memory_band] = sys_memory_band;
    calls[SYS_coalition_list] = sys_coalition_list;
    calls[SYS_persona] = sys_persona;
    calls[SYS_audit_identity] = sys_audit_identity;
    calls[SYS_audit_read] = sys_audit_read;
    calls[SYS_audit_control] = sys_audit_control;
    return table;
}

}  // namespace

constinit const SystemCallTable system_call_table = make_table();
