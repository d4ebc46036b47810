// The ring between the ends of a pipe.
#include "kernel/fs/pipe.h"

#include <algorithm>

#include "kernel/fs/poll.h"
#include "kernel/fs/upward.h"

namespace {

// Those who wait for one kind of change. A sleeper takes a ticket under the pipe's mutex, and sleeps until the count of
// changes has passed it: a change between the two is not lost.
struct Sleepers {
    std::atomic<uint32_t> changes{0};   // written under the pipe's sleep lock
    bool expected = false;              // somebody holds a ticket; guarded by the pipe's mutex
    Channel channel;

    uint32_t ticket() {
        expected = true;
        return changes.load(std::memory_order_relaxed);
    }
};

class Pipe final : public Vnode {
public:
    static Zone& zone();
    static constexpr size_t page_count = 4;
    static constexpr size_t capacity = page_count * page_size;

    explicit Pipe(const Identity& owner) : Vnode(VnodeKind::Pipe, {0600, owner.uid, owner.gid}) {}

    Result<size_t> read(Transfer& transfer) override;
    Result<size_t> write(Transfer& transfer) override;
    Result<uint64_t> ioctl(unsigned request, UserAddr argument) override;
    short poll(short wanted, unsigned open_flags) override;
    size_t available() override EXCLUDES(lock_) {
        MutexGuard guard(lock_);
        return used_locked();
    }
    Result<> opened(unsigned open_flags) override;
    void closed(unsigned open_flags) override;
    void last_reference_gone() override { ZoneDelete<Pipe>{}(*this); }

private:
    // What one look at the ring led to.
    struct Attempt {
        size_t moved = 0;
        bool finished = false;      // nothing more will come of it
        bool wake = false;          // the other side waits for what was done
        uint32_t ticket = 0;        // to sleep with
    };

    Result<Attempt> try_read(const Transfer& transfer);
    Result<Attempt> try_write(const Transfer& transfer, size_t done, bool whole);
    Result<> drain(const IoBuffer& buffer, size_t count) REQUIRES(lock_);
    Result<> fill(const IoBuffer& buffer, size_t from, size_t count) REQUIRES(lock_);
    Result<char*> piece_at(uint64_t position, size_t& length) REQUIRES(lock_);
    size_t used_locked() const REQUIRES(lock_) { return static_cast<size_t>(written_ - read_); }
    bool sleep(Sleepers& sleepers, uint32_t ticket);
    void wake(Sleepers& sleepers);

    Mutex lock_{LockRank::Pipe, "pipe"};
    PageRef pages_[page_count] GUARDED_BY(lock_);
    uint64_t read_ GUARDED_BY(lock_) = 0, written_ GUARDED_BY(lock_) = 0;
    unsigned readers_ GUARDED_BY(lock_) = 0, writers_ GUARDED_BY(lock_) = 0;

    SpinLock sleep_lock_{LockRank::FileWait, "pipe sleepers"};
    Sleepers for_data_, for_room_;
};

Zone& Pipe::zone() {
    static Zone& zone = zone_create({.name = "pipe", .element_size = sizeof(Pipe)}).value();
    return zone;
}

// False if a signal came.
bool Pipe::sleep(Sleepers& sleepers, uint32_t ticket) {
    SpinGuard guard(sleep_lock_);
    while (sleepers.changes.load(std::memory_order_relaxed) == ticket) {
        if (park(sleepers.channel, sleep_lock_, {.interruptible = true}) == WakeReason::Interrupted) {
            return false;
        }
    }
    return true;
}

void Pipe::wake(Sleepers& sleepers) {
    SpinGuard guard(sleep_lock_);
    sleepers.changes.fetch_add(1, std::memory_order_relaxed);
    wake_all(sleepers.channel);
}

// The ring's memory at `position`, and how much of it lies in one piece, at most `length`.
Result<char*> Pipe::piece_at(uint64_t position, size_t& length) {
    size_t at = static_cast<size_t>(position % capacity);
    PageRef& page = pages_[at / page_size];
    if (!page) [[unlikely]] {
        page = TRY(PageRef::allocate(PageUse::Kernel));
    }
    length = std::min(length, page_size - at % page_size);
    return page.at<char>() + at % page_size;
}

Result<> Pipe::drain(const IoBuffer& buffer, size_t count) {
    for (size_t done = 0; done < count;) {
        size_t piece = count - done;
        char* from = TRY(piece_at(read_ + done, piece));
        TRY(buffer.put(done, from, piece));
        done += piece;
    }
    read_ += count;
    if (read_ == written_) {
        read_ = written_ = 0;
    }
    return {};
}

// All or nothing is seen by readers.
Result<> Pipe::fill(const IoBuffer& buffer, size_t from, size_t count) {
    for (size_t done = 0; done < count;) {
        size_t piece = count - done;
        char* to = TRY(piece_at(written_ + done, piece));
        TRY(buffer.take(from + done, to, piece));
        done += piece;
    }
    written_ += count;
    return {};
}

Result<Pipe::Attempt> Pipe::try_read(const Transfer& transfer) {
    MutexGuard guard(lock_);
    size_t available = used_locked();
    if (available == 0) {
        if (writers_ == 0) {
            return Attempt{.finished = true};
        }
        if ((transfer.open_flags & FL_O_NONBLOCK) != 0) {
            return Error::TryAgain;
        }
        return Attempt{.ticket = for_data_.ticket()};
    }
    size_t count = std::min(available, transfer.buffer.length());
    TRY(drain(transfer.buffer, count));
    return Attempt{.moved = count, .finished = true, .wake = std::exchange(for_room_.expected, false)};
}

Result<size_t> Pipe::read(Transfer& transfer) {
    if (transfer.buffer.length() == 0) {
        return size_t{0};
    }
    for (;;) {
        Attempt attempt = TRY(try_read(transfer));
        if (attempt.finished) {
            if (attempt.wake) {
                wake(for_room_);
            }
            poll_notify();
            return attempt.moved;
        }
        if (!sleep(for_data_, attempt.ticket)) {
            return Error::Restart;
        }
    }
}

// `whole`: the request is small enough that its bytes must stay together.
Result<Pipe::Attempt> Pipe::try_write(const Transfer& transfer, size_t done, bool whole) {
    MutexGuard guard(lock_);
    if (readers_ == 0) {
        return Error::BrokenPipe;
    }
    size_t left = transfer.buffer.length() - done;
    size_t room = capacity - used_locked();
    if (room == 0 || (whole && room < left)) {
        if ((transfer.open_flags & FL_O_NONBLOCK) != 0) {
            return Error::TryAgain;
        }
        return Attempt{.ticket = for_room_.ticket()};
    }
    size_t count = std::min(room, left);
    TRY(fill(transfer.buffer, done, count));
    return Attempt{.moved = count, .finished = count == left, .wake = std::exchange(for_data_.expected, false)};
}

Result<size_t> Pipe::write(Transfer& transfer) {
    size_t length = transfer.buffer.length();
    size_t done = 0;
    while (done < length) {
        Result<Attempt> attempt = try_write(transfer, done, length <= FORKLORE_PIPE_BUF);
        if (!attempt.ok()) {
            if (attempt.error() == Error::BrokenPipe) {
                signal_current(FL_SIGPIPE);
            }
            return done > 0 ? Result<size_t>(done) : attempt.error();
        }
        Attempt& did = attempt.value();
        done += did.moved;
        if (did.wake) {
            wake(for_data_);
        }
        if (did.moved > 0) {
            poll_notify();
        } else if (!sleep(for_room_, did.ticket)) {
            return done > 0 ? Result<size_t>(done) : Error::Restart;
        }
    }
    return done;
}

Result<uint64_t> Pipe::ioctl(unsigned request, UserAddr argument) {
    if (request != FL_FIONREAD) {
        return Error::NotTerminal;
    }
    TRY(copy_out_value(argument, static_cast<int32_t>(available())));
    return uint64_t{0};
}

short Pipe::poll(short wanted, unsigned open_flags) {
    MutexGuard guard(lock_);
    int now = 0;
    if ((open_flags & FL_O_ACCMODE) != FL_O_WRONLY) {
        now |= used_locked() > 0 ? FL_POLLIN : 0;
        now |= writers_ == 0 ? FL_POLLHUP : 0;
    } else {
        now |= readers_ == 0 ? FL_POLLERR : 0;
        now |= capacity - used_locked() >= FORKLORE_PIPE_BUF ? FL_POLLOUT : 0;
    }
    return static_cast<short>(now & wanted);
}

Result<> Pipe::opened(unsigned open_flags) {
    MutexGuard guard(lock_);
    ++((open_flags & FL_O_ACCMODE) != FL_O_WRONLY ? readers_ : writers_);
    return {};
}

void Pipe::closed(unsigned open_flags) {
    bool was_reader = (open_flags & FL_O_ACCMODE) != FL_O_WRONLY;
    {
        MutexGuard guard(lock_);
        unsigned& ends = was_reader ? readers_ : writers_;
        if (--ends > 0) {
            return;
        }
    }
    wake(was_reader ? for_room_ : for_data_);
    poll_notify();
}

}  // namespace

void make_pipe_zone() { Pipe::zone(); }

Result<PipeEnds> make_pipe(unsigned flags, const Identity& owner) {
    auto made = TRY(zone_new<Pipe>({}, owner));
    Ref<Vnode> pipe = Ref<Vnode>::adopt(*made.release());
    PipeEnds ends;
    ends.reader = TRY(File::open(pipe, FL_O_RDONLY | (flags & FL_O_NONBLOCK)));
    ends.writer = TRY(File::open(std::move(pipe), FL_O_WRONLY | (flags & FL_O_NONBLOCK)));
    return ends;
}
