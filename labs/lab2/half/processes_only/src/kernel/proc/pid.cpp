// Half done: numbers go round and are skipped, by looking at one after the other. Groups and sessions keep nothing, nothing is
// checked, and there is no lock yet.
#include "kernel/proc/pid.h"

namespace {

bool taken[largest_pid_max];
int32_t maximum = largest_pid_max;
int32_t last = 0;
size_t count = 0;
uint64_t ids = 0;
uint32_t versions = 0;

}  // namespace

Result<> pid_init(int32_t new_maximum) {
    if (new_maximum < smallest_pid_max || new_maximum > largest_pid_max) {
        return Error::Invalid;
    }
    maximum = new_maximum;
    for (bool& one : taken) {
        one = false;
    }
    taken[0] = true;
    last = 0;
    count = 1;
    return {};
}

Result<Pid> pid_allocate() {
    int32_t candidate = last;
    for (int32_t tries = 0; tries < maximum; ++tries) {
        if (++candidate >= maximum) {
            candidate = first_recycled_pid;
        }
        if (!taken[candidate]) {
            taken[candidate] = true;
            last = candidate;
            ++count;
            return static_cast<Pid>(candidate);
        }
    }
    return Error::TryAgain;
}

void pid_take(Pid, PidUse) {}

void pid_release(Pid pid, PidUse use) {
    if (use == PidUse::Process) {
        taken[number(pid)] = false;
        --count;
    }
}

bool pid_in_use(Pid pid) { return number(pid) >= 0 && number(pid) < maximum && taken[number(pid)]; }
int32_t pid_maximum() { return maximum; }
size_t pids_in_use() { return count; }
uint64_t next_unique_id() { return ++ids; }
uint32_t next_id_version() { return ++versions; }
