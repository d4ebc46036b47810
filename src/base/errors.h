// Why something failed. The numbers are newlib's errno, so that an Error crosses the system-call door
// unchanged: the door returns `-static_cast<int>(error)`.
#pragma once

enum class Error : int {
    NotPermitted = 1,         // EPERM
    NoEntry = 2,              // ENOENT
    NoProcess = 3,            // ESRCH
    Interrupted = 4,          // EINTR
    Io = 5,                   // EIO
    NoDevice = 6,             // ENXIO
    ArgumentsTooLong = 7,     // E2BIG
    NotExecutable = 8,        // ENOEXEC
    BadDescriptor = 9,        // EBADF
    NoChild = 10,             // ECHILD
    TryAgain = 11,            // EAGAIN
    NoMemory = 12,            // ENOMEM
    AccessDenied = 13,        // EACCES
    BadAddress = 14,          // EFAULT
    Busy = 16,                // EBUSY
    Exists = 17,              // EEXIST
    CrossDevice = 18,         // EXDEV
    NotDirectory = 20,        // ENOTDIR
    IsDirectory = 21,         // EISDIR
    Invalid = 22,             // EINVAL
    TooManyFilesInSystem = 23,// ENFILE
    TooManyFiles = 24,        // EMFILE
    NotTerminal = 25,         // ENOTTY
    TextBusy = 26,            // ETXTBSY
    FileTooBig = 27,          // EFBIG
    NoSpace = 28,             // ENOSPC
    IllegalSeek = 29,         // ESPIPE
    ReadOnly = 30,            // EROFS
    TooManyLinks = 31,        // EMLINK
    BrokenPipe = 32,          // EPIPE
    Range = 34,               // ERANGE
    Deadlock = 45,            // EDEADLK
    NotImplemented = 88,      // ENOSYS
    NotEmpty = 90,            // ENOTEMPTY
    NameTooLong = 91,         // ENAMETOOLONG
    TooManySymlinks = 92,     // ELOOP
    TimedOut = 116,           // ETIMEDOUT
    NotSupported = 134,       // ENOTSUP
    Overflow = 139,           // EOVERFLOW

    // Never leaves the kernel: the system call is to be made again after the signal was handled
    // (a handler without SA_RESTART turns it into Interrupted).
    Restart = 512,
};
