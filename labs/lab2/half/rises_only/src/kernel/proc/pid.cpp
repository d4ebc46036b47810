// Lab 2, half done: numbers rise, and end at the maximum. No wrap, no second use.
#include "kernel/proc/pid.h"

#include <atomic>

#include "base/failpoint.h"
#include "machine/spin_lock.h"

namespace {

SpinLock pid_lock{LockRank::Pids, "pids"};
uint8_t uses[largest_pid_max] GUARDED_BY(pid_lock);
int32_t maximum GUARDED_BY(pid_lock) = largest_pid_max;
int32_t next GUARDED_BY(pid_lock) = 1;
size_t in_use GUARDED_BY(pid_lock) = 1;
std::atomic<uint64_t> ids{0};
std::atomic<uint32_t> versions{0};

}  // namespace

Result<> pid_init(int32_t new_maximum) {
    if (new_maximum < smallest_pid_max || new_maximum > largest_pid_max) {
        return Error::Invalid;
    }
    SpinGuard guard(pid_lock);
    maximum = new_maximum;
    next = 1;
    in_use = 1;
    for (uint8_t& use : uses) {
        use = 0;
    }
    uses[0] = 1;
    return {};
}

Result<Pid> pid_allocate() {
    if (failpoint::should_fail()) {
        return Error::TryAgain;
    }
    SpinGuard guard(pid_lock);
    if (next >= maximum) {
        return Error::TryAgain;
    }
    uses[next] = 1;
    ++in_use;
    return static_cast<Pid>(next++);
}

void pid_take(Pid, PidUse) {}

void pid_release(Pid pid, PidUse use) {
    SpinGuard guard(pid_lock);
    if (use == PidUse::Process) {
        uses[number(pid)] = 0;
        --in_use;
    }
}

bool pid_in_use(Pid pid) {
    SpinGuard guard(pid_lock);
    return number(pid) >= 0 && number(pid) < maximum && uses[number(pid)] != 0;
}

int32_t pid_maximum() {
    SpinGuard guard(pid_lock);
    return maximum;
}

size_t pids_in_use() {
    SpinGuard guard(pid_lock);
    return in_use;
}

uint64_t next_unique_id() { return ids.fetch_add(1) + 1; }
uint32_t next_id_version() { return versions.fetch_add(1) + 1; }
