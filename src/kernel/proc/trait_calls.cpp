// Plain state that a process carries and hands on: read and set by its own program. Lock: families_lock.
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"

namespace {

constexpr uint64_t ask_alone = ~0ull;
constexpr uint64_t code_flags_inherited = FL_CODE_VALID | FL_CODE_HARD | FL_CODE_KILL | FL_CODE_RESTRICT;

Result<> set_io_policy(Proc& proc, uint64_t value) {
    if (value >= FL_IO_POLICY_COUNT) {
        return Error::Invalid;
    }
    proc.inherited.io_policy = static_cast<uint8_t>(value);
    return {};
}

uint64_t code_flags_of(const Proc& proc) {
    return proc.inherited.code_flags | (proc.code_killed ? uint64_t{FL_CODE_KILLED} : 0);
}

Result<> add_code_flags(Proc& proc, uint64_t flags) {
    if ((flags & ~(code_flags_inherited | FL_CODE_KILLED)) != 0) {
        return Error::Invalid;
    }
    proc.inherited.code_flags = proc.inherited.code_flags | static_cast<uint32_t>(flags & code_flags_inherited);
    proc.code_killed |= (flags & FL_CODE_KILLED) != 0;
    return {};
}

Result<> set_responsible_locked(Proc& proc, uint64_t pid, bool root) REQUIRES(families_lock) {
    if (!root) {
        return Error::NotPermitted;
    }
    if (pid > largest_pid_max || find_process_locked(static_cast<Pid>(pid)) == nullptr) {
        return Error::NoProcess;
    }
    proc.inherited.responsible = static_cast<Pid>(pid);
    return {};
}

}  // namespace

Result<uint64_t> sys_trait(UserFrame& frame) {
    const uint64_t value = frame.x[1];
    Proc& proc = current_proc();
    const bool root = current_credentials()->is_root();
    SpinGuard guard(families_lock);
    uint64_t before = 0;
    Result<> done{};
    switch (frame.x[0]) {
    case FL_TRAIT_IO_POLICY:
        before = proc.inherited.io_policy;
        done = value == ask_alone ? Result<>{} : set_io_policy(proc, value);
        break;
    case FL_TRAIT_CODE_FLAGS:
        before = code_flags_of(proc);
        done = value == ask_alone ? Result<>{} : add_code_flags(proc, value);
        break;
    case FL_TRAIT_RESPONSIBLE:
        before = static_cast<uint64_t>(number(proc.inherited.responsible));
        done = value == ask_alone ? Result<>{} : set_responsible_locked(proc, value, root);
        break;
    default:
        done = Error::Invalid;
        break;
    }
    return done.ok() ? Result<uint64_t>(before) : done.error();
}
