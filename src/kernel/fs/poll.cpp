// poll: look, sleep until somebody says that something changed, look again.
#include "kernel/fs/poll.h"

#include "machine/clock.h"

namespace {

SpinLock poll_lock{LockRank::FileWait, "poll"};
Channel poll_channel GUARDED_BY(poll_lock);
uint64_t changes_ever GUARDED_BY(poll_lock) = 0;

unsigned look(FileTable& files, ForklorePoll* records, unsigned count) {
    unsigned found = 0;
    for (unsigned i = 0; i < count; ++i) {
        ForklorePoll& record = records[i];
        record.revents = 0;
        if (record.fd < 0) {
            continue;
        }
        if (Result<FileUse> used = files.use(record.fd); used.ok()) {
            File& file = **&used.value();
            auto wanted = static_cast<short>(record.events | FL_POLLERR | FL_POLLHUP);
            record.revents = static_cast<int16_t>(file.vnode().poll(wanted, file.flags()) & wanted);
        } else {
            record.revents = FL_POLLNVAL;
        }
        found += record.revents != 0 ? 1 : 0;
    }
    return found;
}

}  // namespace

namespace poll_detail {

std::atomic<uint32_t> pollers{0};

void wake() {
    SpinGuard guard(poll_lock);
    ++changes_ever;
    wake_all(poll_channel);
}

}  // namespace poll_detail

uint64_t Poller::changes() const {
    SpinGuard guard(poll_lock);
    return changes_ever;
}

Result<bool> Poller::sleep(uint64_t seen, Nanoseconds deadline) const {
    SpinGuard guard(poll_lock);
    while (changes_ever == seen) {
        const WakeReason reason = park(poll_channel, poll_lock, {.interruptible = true, .deadline = deadline});
        if (reason == WakeReason::Interrupted) {
            return Error::Interrupted;
        }
        if (reason == WakeReason::TimedOut) {
            return false;
        }
    }
    return true;
}

Result<unsigned> poll_files(FileTable& files, ForklorePoll* records, unsigned count, Nanoseconds deadline) {
    if (unsigned found = look(files, records, count); found != 0 || deadline <= machine_clock::now()) {
        return found;
    }
    // Made before the look that decides: a change after it is announced, one before it is seen.
    Poller poller;
    for (;;) {
        const uint64_t seen = poller.changes();
        if (unsigned found = look(files, records, count); found != 0) {
            return found;
        }
        if (!TRY(poller.sleep(seen, deadline))) {
            return 0u;
        }
    }
}
