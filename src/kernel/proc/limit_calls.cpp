// Limits, usage and nice levels.
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "mm/user_copy.h"

Result<uint64_t> sys_getrlimit(UserFrame& frame) {
    if (frame.x[0] >= FL_RLIMIT_COUNT) {
        return Error::Invalid;
    }
    Proc& proc = current_proc();
    ForkloreLimit limit;
    {
        SpinGuard guard(proc.lock);
        limit = proc.limits->values[frame.x[0]];
    }
    TRY(copy_out_value(UserAddr(frame.x[1]), limit));
    return 0;
}

Result<uint64_t> sys_setrlimit(UserFrame& frame) {
    uint64_t resource = frame.x[0];
    if (resource >= FL_RLIMIT_COUNT) {
        return Error::Invalid;
    }
    auto wanted = TRY(copy_in_value<ForkloreLimit>(UserAddr(frame.x[1])));
    if (wanted.current > wanted.maximum) {
        return Error::Invalid;
    }
    Proc& proc = current_proc();
    bool root = current_credentials()->is_root();
    Ref<Limits> seen;
    {
        SpinGuard guard(proc.lock);
        seen = proc.limits;
    }
    // Shared until somebody writes: the writer makes its own.
    Ref<Limits> own = TRY(seen->copy());
    SpaceLimits space_limits;
    {
        SpinGuard guard(proc.lock);
        for (unsigned i = 0; i < FL_RLIMIT_COUNT; ++i) {
            own->values[i] = proc.limits->values[i];
        }
        if (!root && wanted.maximum > own->values[resource].maximum) {
            return Error::NotPermitted;
        }
        own->values[resource] = wanted;
        std::swap(proc.limits, own);
        space_limits = proc.limits->for_memory();
    }
    // The space has a sleeping lock: not while the process's spin lock is held. On loan it is the parent's.
    if (!current_uthread().loan) {
        cpu::current_thread()->task->space->set_limits(space_limits);
    }
    if (resource == FL_RLIMIT_CPU) {
        CpuLimit::watch(proc);
    }
    return 0;
}

Result<uint64_t> sys_getrusage(UserFrame& frame) {
    auto who = static_cast<int32_t>(frame.x[0]);
    Proc& proc = current_proc();
    ForkloreUsage usage{};
    if (who == 0) {
        usage = proc_usage(proc);
    } else if (who == -1) {
        SpinGuard guard(families_lock);
        usage = proc.stats->children.value_or(ForkloreUsage{});
    } else {
        return Error::Invalid;
    }
    TRY(copy_out_value(UserAddr(frame.x[1]), usage));
    return 0;
}

namespace {

enum Which : uint64_t { one_process = 0, process_group = 1, user = 2 };

// Calls visit(Proc&) for each process that getpriority's or setpriority's arguments mean; the number of them.
template <typename Visit>
Result<unsigned> each_meant_locked(const Credentials& caller, uint64_t which, int32_t who, Visit visit) REQUIRES(families_lock) {
    if (which > Which::user || who < 0) {
        return Error::Invalid;
    }
    Proc& self = current_proc();
    unsigned seen = 0;
    for (Proc& proc : all_processes()) {
        bool meant = false;
        if (which == Which::one_process) {
            meant = who == 0 ? &proc == &self : number(proc.pid) == who;
        } else if (which == Which::process_group) {
            meant = proc.group != nullptr && (who == 0 ? proc.group == self.group : number(proc.group->id) == who);
        } else {
            SpinGuard guard(proc.lock);
            meant = proc.credentials->real_uid == (who == 0 ? caller.real_uid : static_cast<Uid>(who));
        }
        if (meant && proc.state != ProcState::Zombie) {
            visit(proc);
            ++seen;
        }
    }
    if (seen == 0) {
        return Error::NoProcess;
    }
    return seen;
}

void set_nice_of_threads(Proc& proc, int nice) {
    SpinGuard guard(proc.signals.lock);
    if (Task* task = proc.task.get()) {
        SpinGuard task_guard(task->lock);
        for (Thread& thread : task->threads) {
            thread_set_nice(thread, nice);
        }
    }
}

bool owns(const Credentials& caller, Proc& proc) {
    SpinGuard guard(proc.lock);
    return caller.effective_uid == proc.credentials->real_uid || caller.effective_uid == proc.credentials->effective_uid;
}

constexpr int lowest_nice = -20;
constexpr int highest_nice = 19;

}  // namespace

Result<uint64_t> sys_getpriority(UserFrame& frame) {
    Ref<Credentials> credentials = current_credentials();
    SpinGuard guard(families_lock);
    int best = highest_nice;
    TRY(each_meant_locked(*credentials, frame.x[0], static_cast<int32_t>(frame.x[1]),
                          [&](Proc& proc) {
                              const int nice = proc.inherited.nice;
                              best = nice < best ? nice : best;
                          }));
    return static_cast<uint64_t>(20 - best);
}

Result<uint64_t> sys_setpriority(UserFrame& frame) {
    auto nice = static_cast<int32_t>(frame.x[2]);
    nice = nice < lowest_nice ? lowest_nice : nice > highest_nice ? highest_nice : nice;
    Ref<Credentials> credentials = current_credentials();
    bool denied = false, of_others = false;
    SpinGuard guard(families_lock);
    TRY(each_meant_locked(*credentials, frame.x[0], static_cast<int32_t>(frame.x[1]), [&](Proc& proc) {
        if (!credentials->is_root()) {
            if (!owns(*credentials, proc)) {
                of_others = true;
                return;
            }
            if (nice < proc.inherited.nice) {
                denied = true;
                return;
            }
        }
        proc.inherited.nice = static_cast<int8_t>(nice);
        set_nice_of_threads(proc, nice);
    }));
    if (of_others) {
        return Error::NotPermitted;
    }
    if (denied) {
        return Error::AccessDenied;
    }
    return 0;
}
