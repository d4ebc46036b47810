// Lab 2, of another make: nobody looks for a free number; it is counted out. A Fenwick tree knows how many free numbers lie below
// any number, and which is the k-th of them. "The first free one at or behind n" is the one that follows those below n.
#include "kernel/proc/pid.h"

#include <atomic>

#include "base/failpoint.h"
#include "machine/spin_lock.h"

namespace {

class FreeNumbers {
public:
    // 1..maximum-1 are free.
    void reset(uint32_t maximum) {
        total_ = 0;
        for (uint32_t& sum : sums_) {
            sum = 0;
        }
        // Each position passes what it has on to the next one that covers it: linear, where adding one by one would not be.
        for (uint32_t at = 1; at <= size; ++at) {
            const uint32_t n = at - 1;
            const uint32_t free = n >= 1 && n < maximum ? 1 : 0;
            total_ += free;
            sums_[at] += free;
            if (const uint32_t above = at + (at & -at); above <= size) {
                sums_[above] += sums_[at];
            }
        }
    }
    void add(uint32_t n, bool free) {
        total_ = free ? total_ + 1 : total_ - 1;
        for (uint32_t at = n + 1; at <= size; at += at & -at) {
            sums_[at] = free ? sums_[at] + 1 : sums_[at] - 1;
        }
    }
    uint32_t total() const { return total_; }
    uint32_t below(uint32_t n) const {
        uint32_t sum = 0;
        for (uint32_t at = n; at != 0; at -= at & -at) {
            sum += sums_[at];
        }
        return sum;
    }
    // The one that has `before` free ones below it; there must be one.
    uint32_t behind(uint32_t before) const {
        uint32_t at = 0;
        for (uint32_t step = size; step != 0; step /= 2) {
            if (at + step <= size && sums_[at + step] <= before) {
                at += step;
                before -= sums_[at];
            }
        }
        return at;
    }

private:
    static constexpr uint32_t size = 1u << 17;      // a power of two above every number
    uint32_t sums_[size + 1] = {};
    uint32_t total_ = 0;
};

constinit SpinLock pids_lock{LockRank::Pids, "pids"};
constinit FreeNumbers free_numbers GUARDED_BY(pids_lock);
uint8_t users[largest_pid_max] GUARDED_BY(pids_lock);
uint32_t maximum GUARDED_BY(pids_lock) = largest_pid_max;
uint32_t next GUARDED_BY(pids_lock) = 1;

std::atomic<uint64_t> made{0};
std::atomic<uint32_t> versions{0};

uint8_t& users_of(Pid pid) REQUIRES(pids_lock) {
    const auto n = static_cast<uint32_t>(number(pid));      // a negative one is large
    ASSERT(n < maximum);
    return users[n];
}

}  // namespace

Result<> pid_init(int32_t new_maximum) {
    if (new_maximum < smallest_pid_max || new_maximum > largest_pid_max) {
        return Error::Invalid;
    }
    SpinGuard guard(pids_lock);
    maximum = static_cast<uint32_t>(new_maximum);
    next = 1;
    for (uint8_t& one : users) {
        one = 0;
    }
    users[0] = static_cast<uint8_t>(PidUse::Process);
    free_numbers.reset(maximum);
    return {};
}

Result<Pid> pid_allocate() {
    if (failpoint::should_fail()) {
        return Error::TryAgain;
    }
    SpinGuard guard(pids_lock);
    uint32_t before = free_numbers.below(next);
    if (before == free_numbers.total()) {
        before = free_numbers.below(first_recycled_pid);
        if (before == free_numbers.total()) {
            return Error::TryAgain;
        }
    }
    const uint32_t n = free_numbers.behind(before);
    free_numbers.add(n, false);
    users[n] = static_cast<uint8_t>(PidUse::Process);
    next = n + 1;
    return static_cast<Pid>(n);
}

void pid_take(Pid pid, PidUse use) {
    const auto bit = static_cast<uint8_t>(use);
    SpinGuard guard(pids_lock);
    uint8_t& has = users_of(pid);
    if (has == 0 || (has & bit) != 0) {
        panic("pids: a use that is there already, or of a free number (pid, use)", static_cast<uint64_t>(number(pid)), bit);
    }
    has = static_cast<uint8_t>(has + bit);
}

void pid_release(Pid pid, PidUse use) {
    const auto bit = static_cast<uint8_t>(use);
    SpinGuard guard(pids_lock);
    uint8_t& has = users_of(pid);
    if ((has & bit) == 0) {
        panic("pids: a use ends that is not there (pid, use)", static_cast<uint64_t>(number(pid)), bit);
    }
    has = static_cast<uint8_t>(has - bit);
    if (has == 0) {
        free_numbers.add(static_cast<uint32_t>(number(pid)), true);
    }
}

bool pid_in_use(Pid pid) {
    SpinGuard guard(pids_lock);
    return static_cast<uint32_t>(number(pid)) < maximum && users_of(pid) != 0;
}

int32_t pid_maximum() {
    SpinGuard guard(pids_lock);
    return static_cast<int32_t>(maximum);
}

// The numbers that are not free.
size_t pids_in_use() {
    SpinGuard guard(pids_lock);
    return maximum - free_numbers.total();
}

uint64_t next_unique_id() { return 1 + made.fetch_add(1, std::memory_order_relaxed); }
uint32_t next_id_version() { return 1 + versions.fetch_add(1, std::memory_order_relaxed); }
