// Lab 2, of another make: a binary tree in an array. Leaf n says whether number n may be given, each other node whether one of
// the leaves below it may. The search climbs from a leaf until there is something on the right, and goes down to the left.
#include "kernel/proc/pid.h"

#include <atomic>

#include "base/failpoint.h"
#include "machine/spin_lock.h"

namespace {

constexpr size_t leaves = 1u << 17;
constexpr size_t root = 1;
static_assert(leaves > largest_pid_max);

constinit SpinLock table_lock{LockRank::Pids, "pids"};
bool room[2 * leaves] GUARDED_BY(table_lock);      // node i has the children 2i and 2i + 1
bool process[leaves] GUARDED_BY(table_lock), group[leaves] GUARDED_BY(table_lock), session[leaves] GUARDED_BY(table_lock);
size_t end_of_numbers GUARDED_BY(table_lock) = largest_pid_max;
size_t given_last GUARDED_BY(table_lock) = 0;
size_t count GUARDED_BY(table_lock) = 0;

constinit std::atomic<uint64_t> ids{1};
constinit std::atomic<uint32_t> versions{1};

bool& flag(size_t n, PidUse use) REQUIRES(table_lock) {
    switch (use) {
    case PidUse::Process:
        return process[n];
    case PidUse::Group:
        return group[n];
    default:
        return session[n];
    }
}

bool any_use(size_t n) REQUIRES(table_lock) { return process[n] || group[n] || session[n]; }

void set_room(size_t n, bool has) REQUIRES(table_lock) {
    size_t node = leaves + n;
    room[node] = has;
    while (node != root) {
        node /= 2;
        room[node] = room[2 * node] || room[2 * node + 1];
    }
}

// The first number at or behind n that may be given; 0 if there is none.
size_t search(size_t n) REQUIRES(table_lock) {
    size_t node = leaves + n;
    if (room[node]) {
        return n;
    }
    while (node % 2 == 1 || !room[node + 1]) {
        node /= 2;
        if (node <= root) {
            return 0;
        }
    }
    for (++node; node < leaves;) {
        node = room[2 * node] ? 2 * node : 2 * node + 1;
    }
    return node - leaves;
}

size_t checked(Pid pid) REQUIRES(table_lock) {
    ASSERT(number(pid) >= 0 && static_cast<size_t>(number(pid)) < end_of_numbers);
    return static_cast<size_t>(number(pid));
}

}  // namespace

Result<> pid_init(int32_t maximum) {
    if (maximum > largest_pid_max || maximum < smallest_pid_max) {
        return Error::Invalid;
    }
    SpinGuard guard(table_lock);
    end_of_numbers = static_cast<size_t>(maximum);
    for (size_t n = 0; n < leaves; ++n) {
        process[n] = group[n] = session[n] = false;
        room[leaves + n] = n != 0 && n < end_of_numbers;
    }
    for (size_t node = leaves - 1; node >= root; --node) {
        room[node] = room[2 * node] || room[2 * node + 1];
    }
    process[0] = true;
    given_last = 0;
    count = 1;
    return {};
}

Result<Pid> pid_allocate() {
    if (failpoint::should_fail()) {
        return Error::TryAgain;
    }
    SpinGuard guard(table_lock);
    size_t n = search(given_last + 1);
    if (n == 0) {
        n = search(static_cast<size_t>(first_recycled_pid));
    }
    if (n == 0) {
        return Error::TryAgain;
    }
    set_room(n, false);
    process[n] = true;
    given_last = n;
    ++count;
    return static_cast<Pid>(n);
}

void pid_take(Pid pid, PidUse use) {
    SpinGuard guard(table_lock);
    const size_t n = checked(pid);
    ASSERT(any_use(n));
    bool& has = flag(n, use);
    ASSERT(!has);
    has = true;
}

void pid_release(Pid pid, PidUse use) {
    SpinGuard guard(table_lock);
    const size_t n = checked(pid);
    bool& has = flag(n, use);
    ASSERT(has);
    has = false;
    if (!any_use(n)) {
        --count;
        set_room(n, true);
    }
}

bool pid_in_use(Pid pid) {
    SpinGuard guard(table_lock);
    const int32_t n = number(pid);
    return n >= 0 && static_cast<size_t>(n) < end_of_numbers && any_use(static_cast<size_t>(n));
}

int32_t pid_maximum() {
    SpinGuard guard(table_lock);
    return static_cast<int32_t>(end_of_numbers);
}

size_t pids_in_use() {
    SpinGuard guard(table_lock);
    return count;
}

uint64_t next_unique_id() { return ids.fetch_add(1); }
uint32_t next_id_version() { return versions.fetch_add(1); }
