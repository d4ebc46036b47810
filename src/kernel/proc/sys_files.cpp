// System calls on descriptors: each looks its arguments up, checks them, and asks the File.
#include "kernel/proc/sys_files.h"

#include <algorithm>

#include "kernel/fs/pipe.h"
#include "kernel/fs/poll.h"
#include "kernel/fs/upward.h"
#include "kernel/proc/proc.h"
#include "machine/clock.h"

namespace {

constexpr size_t largest_transfer = 0x7fff'f000;    // so that every count fits an int, in whole pages
constexpr size_t most_vectors = 1024;               // IOV_MAX
constexpr unsigned status_flags = FL_O_ACCMODE | FL_O_APPEND | FL_O_NONBLOCK;

int fd_of(uint64_t argument) { return static_cast<int>(argument); }

FileTable& files() { return *current_proc().files; }

IoBuffer buffer_of(uint64_t address, uint64_t length) {
    return UserBuffer{UserAddr(address), static_cast<size_t>(std::min<uint64_t>(length, largest_transfer))};
}

// Only what grows a file asks for the limit: it costs a lock.
Result<size_t> write_limited(File& file, const IoBuffer& buffer) {
    if (!file.vnode().is_file()) {
        return file.write(buffer);
    }
    uint64_t limit = current_limit(FL_RLIMIT_FSIZE);
    Result<size_t> written = file.write(buffer, limit);
    if (!written.ok() && written.error() == Error::FileTooBig && limit != FL_RLIM_INFINITY) {
        signal_current(FL_SIGXFSZ);
    }
    return written;
}

// Calls move(buffer) for one piece after the other, until one is short.
template <typename Move>
Result<uint64_t> for_each_vector(const UserFrame& frame, Move move) {
    auto count = static_cast<int64_t>(static_cast<int>(frame.x[2]));
    if (count <= 0 || count > static_cast<int64_t>(most_vectors)) {
        return Error::Invalid;
    }
    uint64_t total = 0;
    for (uint64_t i = 0; i < static_cast<uint64_t>(count); ++i) {
        auto vector = TRY(copy_in_value<ForkloreIovec>(UserAddr(frame.x[1]) + i * sizeof(ForkloreIovec)));
        if (vector.length == 0) {
            continue;
        }
        if (vector.length > largest_transfer - total) {
            return total > 0 ? Result<uint64_t>(total) : Error::Invalid;
        }
        Result<size_t> moved = move(buffer_of(vector.base, vector.length));
        if (!moved.ok()) {
            return total > 0 ? Result<uint64_t>(total) : moved.error();
        }
        total += moved.value();
        if (moved.value() < vector.length) {
            break;
        }
    }
    return total;
}

}  // namespace

Result<uint64_t> sys_read(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    return TRY(file->read(buffer_of(frame.x[1], frame.x[2])));
}

Result<uint64_t> sys_write(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    return TRY(write_limited(*file, buffer_of(frame.x[1], frame.x[2])));
}

Result<uint64_t> sys_readv(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    bool more = true;
    return for_each_vector(frame, [&](const IoBuffer& buffer) -> Result<size_t> {
        if (!more) {
            return size_t{0};
        }
        // What could block is asked once: a second read might wait although the first one had something.
        more = file->vnode().seekable();
        return file->read(buffer);
    });
}

Result<uint64_t> sys_writev(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    return for_each_vector(frame, [&](const IoBuffer& buffer) { return write_limited(*file, buffer); });
}

Result<uint64_t> sys_close(UserFrame& frame) {
    TRY(files().close(fd_of(frame.x[0])));
    return uint64_t{0};
}

Result<uint64_t> sys_lseek(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    return file->seek(static_cast<int64_t>(frame.x[1]), static_cast<unsigned>(frame.x[2]));
}

Result<uint64_t> sys_fstat(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    TRY(copy_out_value(UserAddr(frame.x[1]), file->vnode().stat()));
    return uint64_t{0};
}

Result<uint64_t> sys_ftruncate(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    if (static_cast<int64_t>(frame.x[1]) < 0 || !file->writable() || !file->vnode().is_file()) {
        return Error::Invalid;
    }
    TRY(file->vnode().truncate(frame.x[1], current_limit(FL_RLIMIT_FSIZE)));
    return uint64_t{0};
}

Result<uint64_t> sys_dup(UserFrame& frame) {
    Ref<File> file = TRY(files().get(fd_of(frame.x[0])));
    auto reservation = TRY(files().reserve(current_limit(FL_RLIMIT_NOFILE)));
    return static_cast<uint64_t>(std::move(reservation).fill(std::move(file), false));
}

Result<uint64_t> sys_dup3(UserFrame& frame) {
    int from = fd_of(frame.x[0]), to = fd_of(frame.x[1]);
    auto flags = static_cast<unsigned>(frame.x[2]);
    if ((flags & ~unsigned{FL_O_CLOEXEC}) != 0 || (from == to && flags != 0)) {
        return Error::Invalid;
    }
    Ref<File> file = TRY(files().get(from));
    if (from != to) {
        TRY(files().replace(to, std::move(file), flags != 0, current_limit(FL_RLIMIT_NOFILE)));
    }
    return static_cast<uint64_t>(to);
}

Result<uint64_t> sys_pipe2(UserFrame& frame) {
    auto flags = static_cast<unsigned>(frame.x[1]);
    if ((flags & ~unsigned{FL_O_CLOEXEC | FL_O_NONBLOCK}) != 0) {
        return Error::Invalid;
    }
    uint64_t limit = current_limit(FL_RLIMIT_NOFILE);
    auto read_end = TRY(files().reserve(limit));
    auto write_end = TRY(files().reserve(limit));
    Ref<Credentials> who = current_credentials();
    PipeEnds pipe = TRY(make_pipe(flags, who->identity()));
    const int32_t numbers[2] = {read_end.fd(), write_end.fd()};
    TRY(copy_out(UserAddr(frame.x[0]), numbers, sizeof numbers));

    // Commit: the program knows the numbers.
    std::move(read_end).fill(std::move(pipe.reader), (flags & FL_O_CLOEXEC) != 0);
    std::move(write_end).fill(std::move(pipe.writer), (flags & FL_O_CLOEXEC) != 0);
    return uint64_t{0};
}

Result<uint64_t> sys_fcntl(UserFrame& frame) {
    int fd = fd_of(frame.x[0]);
    uint64_t argument = frame.x[2];
    switch (static_cast<int>(frame.x[1])) {
    case FL_F_DUPFD:
    case FL_F_DUPFD_CLOEXEC: {
        Ref<File> file = TRY(files().get(fd));
        auto reservation = TRY(files().reserve(current_limit(FL_RLIMIT_NOFILE), static_cast<int>(argument)));
        bool close_on_exec = static_cast<int>(frame.x[1]) == FL_F_DUPFD_CLOEXEC;
        return static_cast<uint64_t>(std::move(reservation).fill(std::move(file), close_on_exec));
    }
    case FL_F_GETFD:
        return TRY(files().close_on_exec(fd)) ? uint64_t{FL_FD_CLOEXEC} : uint64_t{0};
    case FL_F_SETFD:
        TRY(files().set_close_on_exec(fd, (argument & FL_FD_CLOEXEC) != 0));
        return uint64_t{0};
    case FL_F_GETFL: {
        FileUse file = TRY(files().use(fd));
        return uint64_t{file->flags() & status_flags};
    }
    case FL_F_SETFL: {
        FileUse file = TRY(files().use(fd));
        file->set_flags(static_cast<unsigned>(argument));
        return uint64_t{0};
    }
    default:
        return files().use(fd).ok() ? Error::Invalid : Error::BadDescriptor;
    }
}

Result<uint64_t> sys_ioctl(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    return file->vnode().ioctl(static_cast<unsigned>(frame.x[1]), UserAddr(frame.x[2]));
}

Result<uint64_t> sys_getdents(UserFrame& frame) {
    FileUse file = TRY(files().use(fd_of(frame.x[0])));
    return TRY(file->list(buffer_of(frame.x[1], frame.x[2])));
}

Result<uint64_t> sys_poll(UserFrame& frame) {
    ForklorePoll records[FORKLORE_OPEN_MAX];
    uint64_t count = frame.x[1];
    if (count > FORKLORE_OPEN_MAX) {
        return Error::Invalid;
    }
    auto timeout = static_cast<int>(frame.x[2]);
    Nanoseconds deadline = never;
    if (timeout >= 0) {
        deadline = machine_clock::now() + static_cast<Nanoseconds>(timeout) * 1'000'000;
    }
    size_t bytes = static_cast<size_t>(count) * sizeof(ForklorePoll);
    TRY(copy_in(records, UserAddr(frame.x[0]), bytes));
    unsigned ready = TRY(poll_files(files(), records, static_cast<unsigned>(count), deadline));
    TRY(copy_out(UserAddr(frame.x[0]), records, bytes));
    return uint64_t{ready};
}
