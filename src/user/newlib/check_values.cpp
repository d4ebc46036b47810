// Where the port passes newlib's values and structs to the kernel unchanged, they must be the kernel's. No code.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "abi/forklore.h"
#include "base/errors.h"

#define SAME(newlib, kernel) static_assert(static_cast<long>(newlib) == static_cast<long>(kernel))
#define SAME_FIELD(type, field, kernel_type, kernel_field)                                    \
    static_assert(offsetof(type, field) == offsetof(kernel_type, kernel_field) &&             \
                  sizeof(type::field) == sizeof(kernel_type::kernel_field))

// entry.S has these in figures.
SAME(2, SYS_vfork);
SAME(34, SYS_sigreturn);
SAME(308, offsetof(ForkloreSignalFrame, has_fp));
SAME(320, offsetof(ForkloreSignalFrame, q));
SAME(320 + 516, offsetof(ForkloreSignalFrame, fpcr));

SAME(EPERM, Error::NotPermitted);
SAME(ENOENT, Error::NoEntry);
SAME(ESRCH, Error::NoProcess);
SAME(EINTR, Error::Interrupted);
SAME(EIO, Error::Io);
SAME(ENXIO, Error::NoDevice);
SAME(E2BIG, Error::ArgumentsTooLong);
SAME(ENOEXEC, Error::NotExecutable);
SAME(EBADF, Error::BadDescriptor);
SAME(ECHILD, Error::NoChild);
SAME(EAGAIN, Error::TryAgain);
SAME(ENOMEM, Error::NoMemory);
SAME(EACCES, Error::AccessDenied);
SAME(EFAULT, Error::BadAddress);
SAME(EBUSY, Error::Busy);
SAME(EEXIST, Error::Exists);
SAME(EXDEV, Error::CrossDevice);
SAME(ENOTDIR, Error::NotDirectory);
SAME(EISDIR, Error::IsDirectory);
SAME(EINVAL, Error::Invalid);
SAME(ENFILE, Error::TooManyFilesInSystem);
SAME(EMFILE, Error::TooManyFiles);
SAME(ENOTTY, Error::NotTerminal);
SAME(ETXTBSY, Error::TextBusy);
SAME(EFBIG, Error::FileTooBig);
SAME(ENOSPC, Error::NoSpace);
SAME(ESPIPE, Error::IllegalSeek);
SAME(EROFS, Error::ReadOnly);
SAME(EMLINK, Error::TooManyLinks);
SAME(EPIPE, Error::BrokenPipe);
SAME(ERANGE, Error::Range);
SAME(EDEADLK, Error::Deadlock);
SAME(ENOSYS, Error::NotImplemented);
SAME(ENOTEMPTY, Error::NotEmpty);
SAME(ENAMETOOLONG, Error::NameTooLong);
SAME(ELOOP, Error::TooManySymlinks);
SAME(ETIMEDOUT, Error::TimedOut);
SAME(ENOTSUP, Error::NotSupported);
SAME(EOVERFLOW, Error::Overflow);

SAME(O_RDONLY, FL_O_RDONLY);
SAME(O_WRONLY, FL_O_WRONLY);
SAME(O_RDWR, FL_O_RDWR);
SAME(O_ACCMODE, FL_O_ACCMODE);
SAME(O_APPEND, FL_O_APPEND);
SAME(O_CREAT, FL_O_CREAT);
SAME(O_TRUNC, FL_O_TRUNC);
SAME(O_EXCL, FL_O_EXCL);
SAME(O_NONBLOCK, FL_O_NONBLOCK);
SAME(O_NOCTTY, FL_O_NOCTTY);
SAME(O_CLOEXEC, FL_O_CLOEXEC);
SAME(O_NOFOLLOW, FL_O_NOFOLLOW);
SAME(O_DIRECTORY, FL_O_DIRECTORY);
SAME(SEEK_SET, FL_SEEK_SET);
SAME(SEEK_CUR, FL_SEEK_CUR);
SAME(SEEK_END, FL_SEEK_END);
SAME(F_DUPFD, FL_F_DUPFD);
SAME(F_GETFD, FL_F_GETFD);
SAME(F_SETFD, FL_F_SETFD);
SAME(F_GETFL, FL_F_GETFL);
SAME(F_SETFL, FL_F_SETFL);
SAME(F_DUPFD_CLOEXEC, FL_F_DUPFD_CLOEXEC);
SAME(FD_CLOEXEC, FL_FD_CLOEXEC);

SAME(S_IFMT, FL_S_IFMT);
SAME(S_IFDIR, FL_S_IFDIR);
SAME(S_IFCHR, FL_S_IFCHR);
SAME(S_IFREG, FL_S_IFREG);
SAME(S_IFLNK, FL_S_IFLNK);
SAME(S_IFIFO, FL_S_IFIFO);
SAME(S_ISUID, FL_S_ISUID);
SAME(S_ISGID, FL_S_ISGID);

SAME(PROT_NONE, FL_PROT_NONE);
SAME(PROT_READ, FL_PROT_READ);
SAME(PROT_WRITE, FL_PROT_WRITE);
SAME(PROT_EXEC, FL_PROT_EXEC);
SAME(MAP_SHARED, FL_MAP_SHARED);
SAME(MAP_PRIVATE, FL_MAP_PRIVATE);
SAME(MAP_FIXED, FL_MAP_FIXED);
SAME(MAP_ANONYMOUS, FL_MAP_ANONYMOUS);

SAME(WNOHANG, FL_WNOHANG);
SAME(WUNTRACED, FL_WUNTRACED);
SAME(WCONTINUED, FL_WCONTINUED);

SAME(SIGHUP, FL_SIGHUP);
SAME(SIGINT, FL_SIGINT);
SAME(SIGQUIT, FL_SIGQUIT);
SAME(SIGILL, FL_SIGILL);
SAME(SIGTRAP, FL_SIGTRAP);
SAME(SIGABRT, FL_SIGABRT);
SAME(SIGEMT, FL_SIGEMT);
SAME(SIGFPE, FL_SIGFPE);
SAME(SIGKILL, FL_SIGKILL);
SAME(SIGBUS, FL_SIGBUS);
SAME(SIGSEGV, FL_SIGSEGV);
SAME(SIGSYS, FL_SIGSYS);
SAME(SIGPIPE, FL_SIGPIPE);
SAME(SIGALRM, FL_SIGALRM);
SAME(SIGTERM, FL_SIGTERM);
SAME(SIGURG, FL_SIGURG);
SAME(SIGSTOP, FL_SIGSTOP);
SAME(SIGTSTP, FL_SIGTSTP);
SAME(SIGCONT, FL_SIGCONT);
SAME(SIGCHLD, FL_SIGCHLD);
SAME(SIGTTIN, FL_SIGTTIN);
SAME(SIGTTOU, FL_SIGTTOU);
SAME(SIGIO, FL_SIGIO);
SAME(SIGXCPU, FL_SIGXCPU);
SAME(SIGXFSZ, FL_SIGXFSZ);
SAME(SIGVTALRM, FL_SIGVTALRM);
SAME(SIGPROF, FL_SIGPROF);
SAME(SIGWINCH, FL_SIGWINCH);
SAME(SIGLOST, FL_SIGLOST);
SAME(SIGUSR1, FL_SIGUSR1);
SAME(SIGUSR2, FL_SIGUSR2);
SAME(NSIG, FORKLORE_NSIG);
SAME(SA_NOCLDSTOP, FL_SA_NOCLDSTOP);
SAME(SA_SIGINFO, FL_SA_SIGINFO);
SAME(SA_ONSTACK, FL_SA_ONSTACK);
SAME(SA_RESTART, FL_SA_RESTART);
SAME(SA_NODEFER, FL_SA_NODEFER);
SAME(SA_RESETHAND, FL_SA_RESETHAND);
SAME(SIG_SETMASK, FL_SIG_SETMASK);
SAME(SIG_BLOCK, FL_SIG_BLOCK);
SAME(SIG_UNBLOCK, FL_SIG_UNBLOCK);
SAME_FIELD(stack_t, ss_sp, ForkloreSignalStack, base);
SAME_FIELD(stack_t, ss_flags, ForkloreSignalStack, flags);
SAME_FIELD(stack_t, ss_size, ForkloreSignalStack, size);
SAME_FIELD(siginfo_t, si_signo, ForkloreSiginfo, signal);
SAME_FIELD(siginfo_t, si_code, ForkloreSiginfo, code);
SAME_FIELD(siginfo_t, si_pid, ForkloreSiginfo, pid);
SAME_FIELD(siginfo_t, si_status, ForkloreSiginfo, status);
SAME_FIELD(siginfo_t, si_addr, ForkloreSiginfo, address);

SAME(CLOCK_REALTIME, FL_CLOCK_REALTIME);
SAME(CLOCK_PROCESS_CPUTIME_ID, FL_CLOCK_PROCESS);
SAME(CLOCK_THREAD_CPUTIME_ID, FL_CLOCK_THREAD);
SAME(CLOCK_MONOTONIC, FL_CLOCK_MONOTONIC);
SAME_FIELD(timespec, tv_sec, ForkloreTime, seconds);
SAME_FIELD(timespec, tv_nsec, ForkloreTime, nanoseconds);

SAME(RLIMIT_CPU, FL_RLIMIT_CPU);
SAME(RLIMIT_FSIZE, FL_RLIMIT_FSIZE);
SAME(RLIMIT_DATA, FL_RLIMIT_DATA);
SAME(RLIMIT_STACK, FL_RLIMIT_STACK);
SAME(RLIMIT_CORE, FL_RLIMIT_CORE);
SAME(RLIMIT_AS, FL_RLIMIT_AS);
SAME(RLIMIT_NPROC, FL_RLIMIT_NPROC);
SAME(RLIMIT_NOFILE, FL_RLIMIT_NOFILE);
SAME(RLIM_NLIMITS, FL_RLIMIT_COUNT);
static_assert(RLIM_INFINITY == FL_RLIM_INFINITY);
SAME_FIELD(rlimit, rlim_cur, ForkloreLimit, current);
SAME_FIELD(rlimit, rlim_max, ForkloreLimit, maximum);

SAME(POLLIN, FL_POLLIN);
SAME(POLLOUT, FL_POLLOUT);
SAME(POLLERR, FL_POLLERR);
SAME(POLLHUP, FL_POLLHUP);
SAME(POLLNVAL, FL_POLLNVAL);
SAME_FIELD(pollfd, fd, ForklorePoll, fd);
SAME_FIELD(pollfd, events, ForklorePoll, events);
SAME_FIELD(pollfd, revents, ForklorePoll, revents);
SAME_FIELD(iovec, iov_base, ForkloreIovec, base);
SAME_FIELD(iovec, iov_len, ForkloreIovec, length);

SAME(TCGETS, FL_TCGETS);
SAME(TCSETS, FL_TCSETS);
SAME(TCSETSF, FL_TCSETSF);
SAME(TIOCGPGRP, FL_TIOCGPGRP);
SAME(TIOCSPGRP, FL_TIOCSPGRP);
SAME(TIOCSCTTY, FL_TIOCSCTTY);
SAME(TIOCGWINSZ, FL_TIOCGWINSZ);
SAME(FIONREAD, FL_FIONREAD);
SAME(ICRNL, FL_ICRNL);
SAME(IXON, FL_IXON);
SAME(OPOST, FL_OPOST);
SAME(ONLCR, FL_ONLCR);
SAME(ISIG, FL_ISIG);
SAME(ICANON, FL_ICANON);
SAME(ECHO, FL_ECHO);
SAME(ECHOE, FL_ECHOE);
SAME(ECHOK, FL_ECHOK);
SAME(ECHONL, FL_ECHONL);
SAME(NOFLSH, FL_NOFLSH);
SAME(TOSTOP, FL_TOSTOP);
SAME(IEXTEN, FL_IEXTEN);
SAME(VEOF, FL_VEOF);
SAME(VEOL, FL_VEOL);
SAME(VERASE, FL_VERASE);
SAME(VINTR, FL_VINTR);
SAME(VKILL, FL_VKILL);
SAME(VMIN, FL_VMIN);
SAME(VQUIT, FL_VQUIT);
SAME(VSTART, FL_VSTART);
SAME(VSTOP, FL_VSTOP);
SAME(VSUSP, FL_VSUSP);
SAME(VTIME, FL_VTIME);
SAME(NCCS, FL_NCCS);
SAME_FIELD(termios, c_iflag, ForkloreTermios, input);
SAME_FIELD(termios, c_oflag, ForkloreTermios, output);
SAME_FIELD(termios, c_cflag, ForkloreTermios, control);
SAME_FIELD(termios, c_lflag, ForkloreTermios, local);
SAME_FIELD(termios, c_cc, ForkloreTermios, cc);

SAME(EVFILT_READ, FL_EVFILT_READ);
SAME(EVFILT_WRITE, FL_EVFILT_WRITE);
SAME(EVFILT_PROC, FL_EVFILT_PROC);
SAME(EVFILT_TIMER, FL_EVFILT_TIMER);
SAME(EV_ADD, FL_EV_ADD);
SAME(EV_DELETE, FL_EV_DELETE);
SAME(EV_ENABLE, FL_EV_ENABLE);
SAME(EV_DISABLE, FL_EV_DISABLE);
SAME(EV_ONESHOT, FL_EV_ONESHOT);
SAME(EV_CLEAR, FL_EV_CLEAR);
SAME(EV_RECEIPT, FL_EV_RECEIPT);
SAME(EV_ERROR, FL_EV_ERROR);
SAME(EV_EOF, FL_EV_EOF);
SAME(NOTE_EXIT, FL_NOTE_EXIT);
SAME(NOTE_FORK, FL_NOTE_FORK);
SAME(NOTE_EXEC, FL_NOTE_EXEC);
SAME(NOTE_SECONDS, FL_NOTE_SECONDS);
SAME(NOTE_USECONDS, FL_NOTE_USECONDS);
SAME(NOTE_NSECONDS, FL_NOTE_NSECONDS);
using Kevent = struct kevent;     // kevent alone is the function
SAME_FIELD(Kevent, ident, ForkloreKevent, ident);
SAME_FIELD(Kevent, filter, ForkloreKevent, filter);
SAME_FIELD(Kevent, flags, ForkloreKevent, flags);
SAME_FIELD(Kevent, fflags, ForkloreKevent, fflags);
SAME_FIELD(Kevent, data, ForkloreKevent, data);
SAME_FIELD(Kevent, udata, ForkloreKevent, udata);

SAME(IPC_PRIVATE, FL_IPC_PRIVATE);
SAME(IPC_CREAT, FL_IPC_CREAT);
SAME(IPC_EXCL, FL_IPC_EXCL);
SAME(IPC_RMID, FL_IPC_RMID);
SAME(IPC_SET, FL_IPC_SET);
SAME(IPC_STAT, FL_IPC_STAT);
SAME(SHM_RDONLY, FL_SHM_RDONLY);
SAME(SHM_RND, FL_SHM_RND);
SAME(SHM_STAT, FL_SHM_STAT);

SAME_FIELD(utsname, sysname, ForkloreUname, system);
SAME_FIELD(utsname, nodename, ForkloreUname, node);
SAME_FIELD(utsname, release, ForkloreUname, release);
SAME_FIELD(utsname, version, ForkloreUname, version);
SAME_FIELD(utsname, machine, ForkloreUname, machine);
