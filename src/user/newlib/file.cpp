// Files and descriptors.
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utime.h>

#include "user/newlib/convert.h"
#include "user/newlib/system_call.h"

namespace {

int get_stat(long result, const ForkloreStat& from, struct stat* to) {
    if (!is_error(result)) {
        *to = stat_from_kernel(from);
    }
    return posix(result);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    const int mode = (flags & O_CREAT) != 0 ? va_arg(list, int) : 0;
    va_end(list);
    return posix(system_call(SYS_open, path, flags, mode));
}
int _open(const char*, int, ...) NEWLIB_NAME(open);
int creat(const char* path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int close(int fd) { return posix(system_call(SYS_close, fd)); }
int _close(int) NEWLIB_NAME(close);
int read(int fd, void* buffer, size_t length) { return posix(system_call(SYS_read, fd, buffer, length)); }
int _read(int, void*, size_t) NEWLIB_NAME(read);
int write(int fd, const void* buffer, size_t length) { return posix(system_call(SYS_write, fd, buffer, length)); }
int _write(int, const void*, size_t) NEWLIB_NAME(write);
ssize_t readv(int fd, const struct iovec* pieces, int count) {
    return posix<ssize_t>(system_call(SYS_readv, fd, pieces, count));
}
ssize_t writev(int fd, const struct iovec* pieces, int count) {
    return posix<ssize_t>(system_call(SYS_writev, fd, pieces, count));
}
off_t lseek(int fd, off_t offset, int whence) { return posix<off_t>(system_call(SYS_lseek, fd, offset, whence)); }
off_t _lseek(int, off_t, int) NEWLIB_NAME(lseek);

int stat(const char* __restrict path, struct stat* __restrict result) {
    ForkloreStat from;
    return get_stat(system_call(SYS_stat, path, &from), from, result);
}
int _stat(const char* __restrict, struct stat* __restrict) NEWLIB_NAME(stat);
int lstat(const char* __restrict path, struct stat* __restrict result) {
    ForkloreStat from;
    return get_stat(system_call(SYS_lstat, path, &from), from, result);
}
int fstat(int fd, struct stat* result) {
    ForkloreStat from;
    return get_stat(system_call(SYS_fstat, fd, &from), from, result);
}
int _fstat(int, struct stat*) NEWLIB_NAME(fstat);

int dup(int fd) { return posix(system_call(SYS_dup, fd)); }
int dup3(int from, int to, int flags) {
    return from == to ? fail(EINVAL) : posix(system_call(SYS_dup3, from, to, flags));
}
int dup2(int from, int to) { return posix(system_call(SYS_dup3, from, to, 0)); }
int pipe2(int fds[2], int flags) { return posix(system_call(SYS_pipe2, fds, flags)); }
int pipe(int fds[2]) { return pipe2(fds, 0); }

int fcntl(int fd, int command, ...) {
    va_list list;
    va_start(list, command);
    const long argument = va_arg(list, long);
    va_end(list);
    return posix(system_call(SYS_fcntl, fd, command, argument));
}
int _fcntl(int, int, ...) NEWLIB_NAME(fcntl);

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void* argument = va_arg(list, void*);
    va_end(list);
    return posix(system_call(SYS_ioctl, fd, request, argument));
}

int mkdir(const char* path, mode_t mode) { return posix(system_call(SYS_mkdir, path, mode)); }
int _mkdir(const char*, mode_t) NEWLIB_NAME(mkdir);
int rmdir(const char* path) { return posix(system_call(SYS_rmdir, path)); }
int unlink(const char* path) { return posix(system_call(SYS_unlink, path)); }
int _unlink(const char*) NEWLIB_NAME(unlink);
int rename(const char* from, const char* to) { return posix(system_call(SYS_rename, from, to)); }
int _rename(const char*, const char*) NEWLIB_NAME(rename);
int link(const char* from, const char* to) { return posix(system_call(SYS_link, from, to)); }
int _link(const char*, const char*) NEWLIB_NAME(link);
int access(const char* path, int mode) { return posix(system_call(SYS_access, path, mode)); }
int chmod(const char* path, mode_t mode) { return posix(system_call(SYS_chmod, path, mode)); }
int ftruncate(int fd, off_t length) { return posix(system_call(SYS_ftruncate, fd, length)); }
int truncate(const char* path, off_t length) { return posix(system_call(SYS_truncate, path, length)); }
mode_t umask(mode_t mask) { return static_cast<mode_t>(system_call(SYS_umask, mask)); }
int utime(const char* path, const struct utimbuf* times) {
    return times != nullptr ? fail(ENOTSUP) : posix(system_call(SYS_utime, path));
}

int chdir(const char* path) { return posix(system_call(SYS_chdir, path)); }
int fchdir(int fd) { return posix(system_call(SYS_fchdir, fd)); }

// A null buffer asks for one from the heap.
char* getcwd(char* buffer, size_t size) {
    char* own = nullptr;
    if (buffer == nullptr) {
        size = size != 0 ? size : size_t{FORKLORE_PATH_MAX};
        buffer = own = static_cast<char*>(malloc(size));
        if (own == nullptr) {
            return nullptr;
        }
    }
    const long result = system_call(SYS_getcwd, buffer, size);
    if (is_error(result)) {
        free(own);
        errno = static_cast<int>(-result);
        return nullptr;
    }
    return buffer;
}

// What is written is in memory already.
int fsync(int fd) { return fcntl(fd, F_GETFD) == -1 ? -1 : 0; }
int fdatasync(int fd) { return fsync(fd); }
void sync() {}

// There are no symbolic links.
int symlink(const char*, const char*) { return fail(ENOSYS); }
ssize_t readlink(const char* __restrict path, char* __restrict, size_t) {
    return access(path, F_OK) == -1 ? -1 : fail<ssize_t>(EINVAL);
}

}  // extern "C"
