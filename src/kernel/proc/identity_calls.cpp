// Who am I, and may I be somebody else.
#include "kernel/proc/calls.h"
#include "kernel/proc/proc.h"

Result<uint64_t> sys_getpid(UserFrame&) { return static_cast<uint64_t>(number(current_proc().pid)); }

Result<uint64_t> sys_getppid(UserFrame&) {
    return static_cast<uint64_t>(number(current_proc().parent_pid.load(std::memory_order_relaxed)));
}

Result<uint64_t> sys_getuid(UserFrame&) { return current_credentials()->real_uid; }
Result<uint64_t> sys_geteuid(UserFrame&) { return current_credentials()->effective_uid; }
Result<uint64_t> sys_getgid(UserFrame&) { return current_credentials()->real_gid; }
Result<uint64_t> sys_getegid(UserFrame&) { return current_credentials()->effective_gid; }

namespace {

void become(Proc& proc, Ref<Credentials> fresh) {
    SpinGuard guard(proc.lock);
    std::swap(proc.credentials, fresh);
}

}  // namespace

// POSIX: root sets all three ids; others set the effective one to their real or saved one.
Result<uint64_t> sys_setuid(UserFrame& frame) {
    auto uid = static_cast<Uid>(frame.x[0]);
    if (uid == ~Uid{0}) {
        return Error::Invalid;
    }
    Proc& proc = current_proc();
    Ref<Credentials> old = current_credentials();
    if (!old->is_root() && uid != old->real_uid && uid != old->saved_uid) {
        return Error::NotPermitted;
    }
    Ref<Credentials> fresh = TRY(old->copy());
    fresh->effective_uid = uid;
    if (old->is_root()) {
        fresh->account = TRY(UserAccount::find(uid));
        fresh->real_uid = fresh->saved_uid = uid;
        proc.slot.move_to(fresh->account);
    }
    become(proc, std::move(fresh));
    return 0;
}

Result<uint64_t> sys_setgid(UserFrame& frame) {
    auto gid = static_cast<Gid>(frame.x[0]);
    if (gid == ~Gid{0}) {
        return Error::Invalid;
    }
    Ref<Credentials> old = current_credentials();
    if (!old->is_root() && gid != old->real_gid && gid != old->saved_gid) {
        return Error::NotPermitted;
    }
    Ref<Credentials> fresh = TRY(old->copy());
    fresh->effective_gid = gid;
    if (old->is_root()) {
        fresh->real_gid = fresh->saved_gid = gid;
    }
    become(current_proc(), std::move(fresh));
    return 0;
}
