// Waiting for any of several files: poll(2).
//
// A sleeper looks at all its files; whoever changes a file's state calls poll_notify(), which costs a load and a branch
// while nobody polls. Lock: one, of rank FileWait, for all pollers.
#pragma once

#include <atomic>

#include "kernel/fs/file_table.h"

namespace poll_detail {
extern std::atomic<uint32_t> pollers;
void wake();
}

// After a change that may make a file ready; no spin lock of rank FileWait or above held. Any context.
inline void poll_notify() {
    if (poll_detail::pollers.load(std::memory_order_relaxed) != 0) [[unlikely]] {
        poll_detail::wake();
    }
}

// Somebody who looks and then sleeps; while it lives changes are announced to it. A change after changes() is not slept through.
class Poller {
public:
    Poller() { poll_detail::pollers.fetch_add(1, std::memory_order_seq_cst); }
    ~Poller() { poll_detail::pollers.fetch_sub(1, std::memory_order_relaxed); }
    Poller(const Poller&) = delete;

    uint64_t changes() const;
    // Sleeps until there are more changes than `seen`: true; false when `deadline` passed. Interrupted.
    Result<bool> sleep(uint64_t seen, Nanoseconds deadline) const;
};

// Fills in `revents`; the number of records with one. Sleeps until there is one, a signal came (Interrupted), or
// `deadline` passed (0).
Result<unsigned> poll_files(FileTable& files, ForklorePoll* records, unsigned count, Nanoseconds deadline);
