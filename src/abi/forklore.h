// The contract between the kernel and its programs: system-call numbers and plain structs.
//
// This is the one header that both sides include, so it is valid C11 and C++20 and includes nothing
// but fixed-width integers. Values that newlib also defines (open flags, errno, signal numbers) are
// newlib's values; `src/user/newlib/` asserts that they agree.
//
// Calling convention: `svc #0`, number in x8, arguments in x0..x5. The result is in x0; a value in
// [-4095, -1] is a negated errno. All other registers are kept, but for x1, which fork and vfork set
// to 1 in the child and to 0 in the parent.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ForkloreSyscall {
    // processes
    SYS_exit = 0,           // (int status)
    SYS_fork = 1,           // () -> pid, 0 in the child
    SYS_vfork = 2,          // () -> pid, 0 in the child
    SYS_execve = 3,         // (path, argv, envp)
    SYS_wait4 = 4,          // (pid, int* status, options, ForkloreUsage*) -> pid
    SYS_getpid = 5,
    SYS_getppid = 6,
    SYS_kill = 7,           // (pid, signal)
    SYS_getpgid = 8,        // (pid)
    SYS_setpgid = 9,        // (pid, group)
    SYS_getsid = 10,        // (pid)
    SYS_setsid = 11,
    SYS_getuid = 12,
    SYS_geteuid = 13,
    SYS_getgid = 14,
    SYS_getegid = 15,
    SYS_setuid = 16,        // (uid)
    SYS_setgid = 17,        // (gid)
    SYS_getrlimit = 18,     // (resource, ForkloreLimit*)
    SYS_setrlimit = 19,     // (resource, const ForkloreLimit*)
    SYS_getrusage = 20,     // (who, ForkloreUsage*)
    SYS_getpriority = 21,   // (which, who) -> 20 - nice
    SYS_setpriority = 22,   // (which, who, nice)
    SYS_umask = 23,         // (mask) -> old mask
    // threads
    SYS_gettid = 24,
    SYS_sched_yield = 25,
    SYS_thread_create = 26, // (entry, argument, stack top, tls) -> tid
    SYS_thread_exit = 27,   // (address of a 32-bit word to clear and wake, or 0)
    SYS_futex_wait = 28,    // (uint32_t* word, expected, const ForkloreTime* timeout or 0)
    SYS_futex_wake = 29,    // (uint32_t* word): all that wait for it; others may wake too
    // signals
    SYS_sigaction = 30,     // (signal, const ForkloreSigaction*, ForkloreSigaction* old)
    SYS_sigprocmask = 31,   // (how, const uint32_t* set, uint32_t* old)
    SYS_sigpending = 32,    // (uint32_t* set)
    SYS_sigsuspend = 33,    // (const uint32_t* mask)
    SYS_sigreturn = 34,     // () with sp at the signal frame
    SYS_setitimer = 35,     // (which, const ForkloreTimer*, ForkloreTimer* old)
    SYS_getitimer = 36,     // (which, ForkloreTimer*)
    // memory
    SYS_brk = 40,           // (new end or 0) -> end of the heap after the call
    SYS_mmap = 41,          // (address, length, protection, flags, fd, offset) -> address
    SYS_munmap = 42,        // (address, length)
    SYS_mprotect = 43,      // (address, length, protection)
    // files
    SYS_read = 50,          // (fd, buffer, length) -> bytes
    SYS_write = 51,
    SYS_open = 52,          // (path, flags, mode) -> fd
    SYS_close = 53,
    SYS_lseek = 54,         // (fd, offset, whence) -> offset
    SYS_stat = 55,          // (path, ForkloreStat*)
    SYS_lstat = 56,         // (path, ForkloreStat*)
    SYS_fstat = 57,         // (fd, ForkloreStat*)
    SYS_dup = 58,
    SYS_dup3 = 59,          // (old, new, flags); dup3 with old == new and no flags is dup2
    SYS_pipe2 = 60,         // (int fds[2], flags)
    SYS_fcntl = 61,         // (fd, command, argument)
    SYS_ioctl = 62,         // (fd, request, argument)
    SYS_getdents = 63,      // (fd, ForkloreDirent*, bytes) -> bytes filled, 0 at the end
    SYS_chdir = 64,
    SYS_fchdir = 65,
    SYS_getcwd = 66,        // (buffer, size) -> length with the NUL
    SYS_mkdir = 67,         // (path, mode)
    SYS_rmdir = 68,
    SYS_unlink = 69,
    SYS_rename = 70,        // (old, new)
    SYS_link = 71,          // (old, new)
    SYS_access = 72,        // (path, mode)
    SYS_chmod = 73,         // (path, mode)
    SYS_ftruncate = 74,     // (fd, length)
    SYS_truncate = 75,      // (path, length)
    SYS_utime = 76,         // (path): set both times to now
    SYS_poll = 77,          // (ForklorePoll*, count, timeout in ms or -1)
    SYS_writev = 78,        // (fd, const ForkloreIovec*, count)
    SYS_readv = 79,
    // time and the machine
    SYS_clock_gettime = 80, // (clock, ForkloreTime*)
    SYS_clock_settime = 81,
    SYS_nanosleep = 82,     // (const ForkloreTime*, ForkloreTime* remaining)
    SYS_getrandom = 83,     // (buffer, length, flags) -> bytes
    SYS_uname = 84,         // (ForkloreUname*)
    SYS_sysinfo = 85,       // (ForkloreSysinfo*)
    SYS_proc_list = 86,     // (ForkloreProcInfo*, count) -> processes there are (may be more than count)
    SYS_zone_list = 87,     // (ForkloreZoneInfo*, count) -> zones there are
    SYS_reboot = 88,        // (how, status): root only; does not return
    SYS_klog = 89,          // (buffer, length) -> bytes of the boot log
    // processes, again
    SYS_posix_spawn = 90,   // (const uint64_t* paths, const ForkloreSpawn*, argv, envp) -> pid; the first path of the null-ended
                            // array that can be executed counts
    SYS_waitid = 91,        // (ForkloreIdType, id, ForkloreSiginfo*, options); signal 0: nothing to tell yet
    SYS_trait = 92,         // (ForkloreTrait, value or -1 to ask alone) -> the value before
    SYS_sigtimedwait = 93,  // (const uint32_t* set, ForkloreSiginfo* or 0, const ForkloreTime* or 0) -> signal
    SYS_sigaltstack = 94,   // (const ForkloreSignalStack* or 0, ForkloreSignalStack* old or 0)
    SYS_getgroups = 95,     // (count, uint32_t* or 0 with count 0) -> groups there are
    SYS_setgroups = 96,     // (count, const uint32_t*): root only
    // System V shared memory
    SYS_shmget = 97,        // (key, bytes, flags) -> number
    SYS_shmat = 98,         // (number, address or 0, flags) -> address
    SYS_shmdt = 99,         // (address)
    SYS_shmctl = 100,        // (number, command, ForkloreSegment*)
    // other processes' memory: one's own processes or root
    SYS_region_list = 101,  // (pid or 0, from, ForkloreRegionInfo*, count) -> regions that end behind `from`; 0 behind the last
    SYS_page_list = 102,    // (pid or 0, from, ForklorePageInfo*, count) -> pages there at `from` or behind it; likewise
    // queues of events
    SYS_kqueue = 103,       // () -> fd
    SYS_kevent = 104,       // (fd, const ForkloreKevent* changes, count, ForkloreKevent* events, count, const ForkloreTime* timeout or 0)
    // memory pressure
    SYS_memory_band = 105,  // (pid or 0, band or -1 to ask alone) -> the band before; owners lower it, root raises it
    // coalitions and personas
    SYS_coalition_list = 106,   // (ForkloreCoalitionInfo*, count) -> coalitions there are
    SYS_persona = 107,      // (pid or 0, ForklorePersona* or 0) -> its number, 0 for none
    // audit
    SYS_audit_identity = 108,   // (audit user or -1 to ask alone, ForkloreAuditIdentity* or 0) -> the audit session, 0 for none; root
                            // gives one to a process that has none
    SYS_audit_read = 109,   // (number, ForkloreAuditRecord*, count) -> records filled, those behind that number: root only
    SYS_audit_control = 110,    // (1, 0, or -1 to ask alone) -> whether it was on: root only
    SYS_COUNT = 112
};

enum ForkloreLimits {
    FORKLORE_PATH_MAX = 1024,   // bytes of a path, with the NUL
    FORKLORE_NAME_MAX = 255,    // bytes of one component
    FORKLORE_ARG_MAX = 131072,  // bytes of argv and envp together, with their pointers
    FORKLORE_OPEN_MAX = 256,    // descriptors of one process
    FORKLORE_SPAWN_ACTIONS_MAX = 1024,
    FORKLORE_NGROUPS_MAX = 16,  // groups of a user beside its own
    FORKLORE_PIPE_BUF = 4096,   // bytes written to a pipe in one piece
    FORKLORE_NSIG = 32
};

// open(2) flags, newlib's values.
enum ForkloreOpenFlags {
    FL_O_RDONLY = 0, FL_O_WRONLY = 1, FL_O_RDWR = 2, FL_O_ACCMODE = 3,
    FL_O_APPEND = 0x8, FL_O_CREAT = 0x200, FL_O_TRUNC = 0x400, FL_O_EXCL = 0x800,
    FL_O_NONBLOCK = 0x4000, FL_O_NOCTTY = 0x8000, FL_O_CLOEXEC = 0x40000, FL_O_CLOFORK = 0x8000000,
    FL_O_NOFOLLOW = 0x100000, FL_O_DIRECTORY = 0x200000
};
enum ForkloreSeek { FL_SEEK_SET = 0, FL_SEEK_CUR = 1, FL_SEEK_END = 2 };
enum ForkloreFcntl { FL_F_DUPFD = 0, FL_F_GETFD = 1, FL_F_SETFD = 2, FL_F_GETFL = 3, FL_F_SETFL = 4, FL_F_DUPFD_CLOEXEC = 14, FL_FD_CLOEXEC = 1 };

// st_mode, newlib's values (the usual octal ones).
enum ForkloreMode {
    FL_S_IFMT = 0170000, FL_S_IFDIR = 0040000, FL_S_IFCHR = 0020000, FL_S_IFREG = 0100000,
    FL_S_IFLNK = 0120000, FL_S_IFIFO = 0010000, FL_S_ISUID = 04000, FL_S_ISGID = 02000
};

// posix_spawn: flags with newlib's values, but for the last three.
enum ForkloreSpawnFlags {
    FL_SPAWN_RESETIDS = 0x1, FL_SPAWN_SETPGROUP = 0x2, FL_SPAWN_SETSIGDEF = 0x10, FL_SPAWN_SETSIGMASK = 0x20, FL_SPAWN_SETSID = 0x80,
    FL_SPAWN_NEWCOALITION = 0x100, FL_SPAWN_SETPERSONA = 0x200      // the second is root's
};
enum ForkloreSpawnActionKind { FL_SPAWN_OPEN = 1, FL_SPAWN_DUP2 = 2, FL_SPAWN_CLOSE = 3, FL_SPAWN_CHDIR = 4, FL_SPAWN_FCHDIR = 5 };
struct ForkloreSpawnAction {
    int32_t kind;
    int32_t fd;             // that is opened, closed, made to be `from`, or entered
    int32_t from;           // dup2
    uint32_t flags, mode;   // open
    uint32_t reserved;
    uint64_t path;          // open, chdir
};
struct ForkloreSpawn {
    uint32_t flags;         // ForkloreSpawnFlags; what they do not name is not looked at
    int32_t group;          // SETPGROUP: 0 is one of its own
    uint32_t defaults;      // SETSIGDEF: these signals do what they do by default
    uint32_t mask;          // SETSIGMASK
    uint64_t actions;       // const ForkloreSpawnAction*
    uint64_t action_count;  // at most FORKLORE_SPAWN_ACTIONS_MAX
    uint64_t persona_name;  // SETPERSONA: const char*: a new one of that name. 0: the one that is numbered
    int32_t persona;        // so and that a process carries; 0 is none
    uint32_t reserved;
};

enum ForkloreProtection { FL_PROT_NONE = 0, FL_PROT_READ = 1, FL_PROT_WRITE = 2, FL_PROT_EXEC = 4 };
enum ForkloreMapFlags { FL_MAP_SHARED = 1, FL_MAP_PRIVATE = 2, FL_MAP_FIXED = 0x10, FL_MAP_ANONYMOUS = 0x20 };

enum ForkloreWaitOptions {
    FL_WNOHANG = 1, FL_WUNTRACED = 2, FL_WCONTINUED = 4,
    FL_WEXITED = 8, FL_WNOWAIT = 16     // waitid's alone; its WSTOPPED is FL_WUNTRACED
};
enum ForkloreIdType { FL_P_ALL = 0, FL_P_PID = 1, FL_P_PGID = 2 };
enum ForkloreChildCode { FL_CLD_EXITED = 1, FL_CLD_KILLED = 2, FL_CLD_STOPPED = 5, FL_CLD_CONTINUED = 6 };

// Signal numbers, newlib's values.
enum ForkloreSignal {
    FL_SIGHUP = 1, FL_SIGINT = 2, FL_SIGQUIT = 3, FL_SIGILL = 4, FL_SIGTRAP = 5, FL_SIGABRT = 6,
    FL_SIGEMT = 7, FL_SIGFPE = 8, FL_SIGKILL = 9, FL_SIGBUS = 10, FL_SIGSEGV = 11, FL_SIGSYS = 12,
    FL_SIGPIPE = 13, FL_SIGALRM = 14, FL_SIGTERM = 15, FL_SIGURG = 16, FL_SIGSTOP = 17, FL_SIGTSTP = 18,
    FL_SIGCONT = 19, FL_SIGCHLD = 20, FL_SIGTTIN = 21, FL_SIGTTOU = 22, FL_SIGIO = 23, FL_SIGXCPU = 24,
    FL_SIGXFSZ = 25, FL_SIGVTALRM = 26, FL_SIGPROF = 27, FL_SIGWINCH = 28, FL_SIGLOST = 29,
    FL_SIGUSR1 = 30, FL_SIGUSR2 = 31
};
enum ForkloreSigactionFlags {
    FL_SA_NOCLDSTOP = 0x1, FL_SA_SIGINFO = 0x2, FL_SA_ONSTACK = 0x4, FL_SA_RESTART = 0x10000000,
    FL_SA_NODEFER = 0x40000000, FL_SA_RESETHAND = (int)0x80000000
};
enum ForkloreSigprocmask { FL_SIG_SETMASK = 0, FL_SIG_BLOCK = 1, FL_SIG_UNBLOCK = 2 };
#define FL_SIG_DFL 0ull
#define FL_SIG_IGN 1ull

// Bit n of a signal set is signal n; bit 0 is unused.
struct ForkloreSigaction {
    uint64_t handler;   // user address, FL_SIG_DFL or FL_SIG_IGN
    uint64_t restorer;  // user address of code that calls the handler, in x3, and then SYS_sigreturn
    uint32_t mask;      // blocked while the handler runs
    uint32_t flags;     // FL_SA_*
};

// What the kernel pushes on the user stack before the restorer runs; sp points at it, x0 is the signal, x1 the
// address of `info`, x2 that of this frame. The restorer keeps q, fpsr and fpcr in it while the handler runs.
struct ForkloreSiginfo {
    int32_t signal, code;
    int32_t pid, status;
    uint32_t uid, reserved;
    uint64_t address;   // of the fault
};
struct ForkloreSignalFrame {
    uint64_t x[31];
    uint64_t sp, pc, pstate;
    struct ForkloreSiginfo info;
    uint32_t mask;      // restored by SYS_sigreturn
    uint32_t has_fp;    // 1 once the restorer has saved q and the two words behind it
    uint64_t q[64] __attribute__((aligned(16)));
    uint32_t fpsr, fpcr;
};

// Where handlers with FL_SA_ONSTACK run.
struct ForkloreSignalStack {
    uint64_t base;
    uint32_t flags, reserved;   // FL_SS_*
    uint64_t size;
};
enum ForkloreSignalStackFlags { FL_SS_ONSTACK = 1, FL_SS_DISABLE = 2, FORKLORE_MINSIGSTKSZ = 2048 };

// Queues of events; the layout and the values are BSD's. A file's `ident` is its descriptor, a process's its pid, a timer's any
// number. `data` of what is told: bytes that can be read; a child's pid or a wait status; how often the timer rang.
struct ForkloreKevent {
    uint64_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    int64_t data;
    uint64_t udata;         // the program's own
};
enum ForkloreEventFilter { FL_EVFILT_READ = -1, FL_EVFILT_WRITE = -2, FL_EVFILT_PROC = -5, FL_EVFILT_TIMER = -7 };
enum ForkloreEventFlags {
    FL_EV_ADD = 0x1, FL_EV_DELETE = 0x2, FL_EV_ENABLE = 0x4, FL_EV_DISABLE = 0x8, FL_EV_ONESHOT = 0x10, FL_EV_CLEAR = 0x20, FL_EV_RECEIPT = 0x40,
    FL_EV_ERROR = 0x4000, FL_EV_EOF = 0x8000    // told alone
};
#define FL_NOTE_EXIT 0x80000000u
#define FL_NOTE_FORK 0x40000000u
#define FL_NOTE_EXEC 0x20000000u
enum ForkloreTimerNotes { FL_NOTE_SECONDS = 1, FL_NOTE_USECONDS = 2, FL_NOTE_NSECONDS = 4 };   // the unit; milliseconds else

// Plain state of a process that its children have from it. It means nothing to the kernel.
enum ForkloreTrait {
    FL_TRAIT_IO_POLICY = 0,     // ForkloreIoPolicy
    FL_TRAIT_CODE_FLAGS = 1,    // ForkloreCodeFlags: they are only ever added
    FL_TRAIT_RESPONSIBLE = 2    // the pid of who answers for it; root sets it
};
enum ForkloreIoPolicy { FL_IO_DEFAULT, FL_IO_IMPORTANT, FL_IO_PASSIVE, FL_IO_THROTTLE, FL_IO_UTILITY, FL_IO_STANDARD, FL_IO_POLICY_COUNT };
enum ForkloreCodeFlags { FL_CODE_VALID = 1, FL_CODE_HARD = 0x100, FL_CODE_KILL = 0x200, FL_CODE_RESTRICT = 0x800, FL_CODE_KILLED = 0x1000000 };

// Who ends first when there is no memory left: the lowest. Any number from the first to the last; the names are the original's.
enum ForkloreMemoryBand { FL_BAND_IDLE = 0, FL_BAND_BACKGROUND = 3, FL_BAND_FOREGROUND = 10, FL_BAND_DEFAULT = 18, FL_BAND_CRITICAL = 19 };

struct ForkloreTime { int64_t seconds; int64_t nanoseconds; };
struct ForkloreTimer { struct ForkloreTime interval, value; };
enum ForkloreItimer { FL_ITIMER_REAL, FL_ITIMER_VIRTUAL, FL_ITIMER_PROF, FL_ITIMER_COUNT };
enum ForkloreClock { FL_CLOCK_REALTIME = 1, FL_CLOCK_PROCESS = 2, FL_CLOCK_THREAD = 3, FL_CLOCK_MONOTONIC = 4 };

// System V shared memory. Flags and commands have their usual values; FL_SHM_STAT takes a place in the kernel's table
// (0 to FORKLORE_SEGMENTS_MAX - 1) for a number, and gives the number of the segment there.
enum ForkloreSegmentFlags { FL_IPC_CREAT = 01000, FL_IPC_EXCL = 02000, FL_SHM_RDONLY = 010000, FL_SHM_RND = 020000 };
enum ForkloreSegmentCommand { FL_IPC_RMID = 0, FL_IPC_SET = 1, FL_IPC_STAT = 2, FL_SHM_STAT = 13 };
enum ForkloreSegmentLimits { FL_IPC_PRIVATE = 0, FORKLORE_SEGMENTS_MAX = 32, FORKLORE_SEGMENT_BYTES_MAX = 64 << 20 };
struct ForkloreSegment {
    int64_t key;
    uint64_t bytes, attachments;
    uint32_t uid, gid, maker_uid, maker_gid, mode;
    int32_t maker, last;    // pids: who made it, who attached it last
    struct ForkloreTime attached, detached, changed;
};

struct ForkloreLimit { uint64_t current, maximum; };
#define FL_RLIM_INFINITY (~0ull)
enum ForkloreResource { FL_RLIMIT_CPU, FL_RLIMIT_FSIZE, FL_RLIMIT_DATA, FL_RLIMIT_STACK, FL_RLIMIT_CORE, FL_RLIMIT_AS, FL_RLIMIT_NPROC, FL_RLIMIT_NOFILE, FL_RLIMIT_COUNT };

struct ForkloreUsage {
    struct ForkloreTime user, system;
    int64_t peak_pages, minor_faults, voluntary_switches, involuntary_switches, signals;
};

struct ForkloreStat {
    uint64_t device, inode;
    uint32_t mode, links, uid, gid;
    uint64_t rdevice;
    int64_t size, blocks;                       // blocks of 512 bytes
    struct ForkloreTime accessed, modified, changed;
};

// Records of getdents: each is `length` bytes, a multiple of 8, the name ends with a NUL.
struct ForkloreDirent {
    uint64_t inode;
    uint16_t length;
    uint8_t type;       // FL_S_IF* >> 12
    char name[];
};

struct ForkloreIovec { uint64_t base, length; };
struct ForklorePoll { int32_t fd; int16_t events, revents; };
enum ForklorePollEvents { FL_POLLIN = 1, FL_POLLOUT = 4, FL_POLLERR = 8, FL_POLLHUP = 16, FL_POLLNVAL = 32 };

// Terminal: ioctl requests and the argument of the first three.
enum ForkloreIoctl {
    FL_TCGETS = 1, FL_TCSETS = 2, FL_TCSETSF = 3,   // ForkloreTermios*; the last drops unread input
    FL_TIOCGPGRP = 4, FL_TIOCSPGRP = 5,             // int32_t*
    FL_TIOCSCTTY = 6,                               // take the terminal as the session's
    FL_TIOCGWINSZ = 7,                              // uint16_t[4]: rows, columns, 0, 0
    FL_FIONREAD = 8                                 // int32_t*
};
enum ForkloreTermiosFlags {
    FL_ICRNL = 1, FL_IXON = 2,                                             // input
    FL_OPOST = 1, FL_ONLCR = 2,                                            // output
    FL_ISIG = 1, FL_ICANON = 2, FL_ECHO = 4, FL_ECHOE = 8, FL_ECHOK = 16, FL_ECHONL = 32, FL_NOFLSH = 64, FL_TOSTOP = 128, FL_IEXTEN = 256 // local
};
enum ForkloreControlCharacter { FL_VEOF, FL_VEOL, FL_VERASE, FL_VINTR, FL_VKILL, FL_VMIN, FL_VQUIT, FL_VSTART, FL_VSTOP, FL_VSUSP, FL_VTIME, FL_NCCS = 16 };
struct ForkloreTermios { uint32_t input, output, control, local; uint8_t cc[FL_NCCS]; };

struct ForkloreUname { char system[32], node[32], release[32], version[64], machine[32]; };

struct ForkloreSysinfo {
    uint64_t uptime_ns, idle_ns;        // idle is the sum over the cores
    uint64_t pages_total, pages_free, pages_kernel, pages_peak, page_size;
    uint64_t processes, processes_max, threads, pid_max;
    uint64_t cores, load[3];            // load in 1/65536: runnable threads over 1, 5 and 15 minutes
    uint64_t forks, context_switches, interrupts;
    uint32_t board_revision, reserved;
    uint64_t board_serial;
    char board[32], boot_arguments[256];
    // Pages in use by what they are for. Kept for the next time and therefore not counted: slabs of zones (zone_list has
    // the elements) and kernel stacks that wait for a thread.
    uint64_t pages_anonymous, pages_tables, pages_files, pages_buffers;
};

enum ForkloreProcState { FL_PROC_RUNNING = 'R', FL_PROC_SLEEPING = 'S', FL_PROC_STOPPED = 'T', FL_PROC_ZOMBIE = 'Z', FL_PROC_LENT = 'L' };
struct ForkloreProcInfo {
    int32_t pid, parent, group, session, uid, nice;
    int32_t state, threads, core, foreground;   // state is a ForkloreProcState; foreground: has the terminal
    int32_t loans;                              // threads of it that run as children (vfork)
    int32_t band;                               // ForkloreMemoryBand
    uint64_t unique_id, start_ns, user_ns, system_ns, resident_pages, coalition;
    char name[32];
};

// What the processes of a coalition used, those that ended and were collected too. `usage.peak_pages` is the largest that one had.
struct ForkloreCoalitionInfo {
    uint64_t number, members, ended, resident_pages;
    struct ForkloreUsage usage;
};
struct ForklorePersona {
    int32_t number;         // 0: none
    char name[28];
};

enum ForkloreRegionKind { FL_REGION_ANONYMOUS, FL_REGION_FILE, FL_REGION_HEAP, FL_REGION_STACK };
struct ForkloreRegionInfo {
    uint64_t start, end;
    uint32_t protection, kind;              // FL_PROT_*, ForkloreRegionKind
    uint32_t shared, reserved;              // 1: fork shares it
    uint64_t pages;                         // that are there
};
enum ForklorePageFlags { FL_PAGE_COPY_ON_WRITE = 1, FL_PAGE_SHARED = 2 };
struct ForklorePageInfo {
    uint64_t address, entry;                // the page-table entry as the processor reads it
    uint64_t frame;                         // the page's physical address
    uint32_t protection, flags;             // what the entry allows now: FL_PROT_*; ForklorePageFlags
    uint64_t references;                    // entries of all processes, and caches, that have the frame
};

struct ForkloreZoneInfo {
    char name[32];
    uint64_t element_size, live, peak, free, pages, limit;  // limit 0: none
    uint64_t allocations, cache_hits;
    uint64_t lock_acquisitions;                             // of the zone's lock, which all cores share
};

// Who made, changed and ended which process. Numbers of records rise by one: a gap tells how many were lost.
enum ForkloreAuditEvent {
    FL_AUDIT_ON = 1, FL_AUDIT_OFF = 2,
    FL_AUDIT_FORK = 3,      // subject: the child, also of vfork and posix_spawn
    FL_AUDIT_EXEC = 4,      // name: of the new program
    FL_AUDIT_EXIT = 5,      // argument: the wait status
    FL_AUDIT_KILL = 6,      // subject: the target; argument: the signal
    FL_AUDIT_SETUID = 7, FL_AUDIT_SETGID = 8,   // argument: the new id
    FL_AUDIT_SETGROUPS = 9, // argument: how many
    FL_AUDIT_IDENTITY = 10  // argument: the audit user
};
enum { FORKLORE_AUDIT_RECORDS = 256 };      // that are kept
// On whose behalf a process acts, whoever it has become: handed on to children, never changed once there is one.
struct ForkloreAuditIdentity { uint32_t user, session; };   // session 0: none
struct ForkloreAuditRecord {
    uint64_t number, time_ns;               // the first is 1; since boot
    uint32_t event;                         // ForkloreAuditEvent
    int32_t pid;                            // of the actor
    uint32_t uid;                           // its effective one
    struct ForkloreAuditIdentity identity;
    int32_t subject, argument;
    uint32_t reserved;
    char name[24];                          // of its program, cut off; a NUL only if there is room
};

enum ForkloreReboot { FL_REBOOT_POWEROFF = 0, FL_REBOOT_RESTART = 1 };

#ifdef __cplusplus
}
#endif
