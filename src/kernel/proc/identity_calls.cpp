// Who am I, and may I be somebody else.
#include "kernel/proc/audit.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/proc.h"
#include "mm/user_copy.h"

Result<uint64_t> sys_getpid(UserFrame&) { return static_cast<uint64_t>(number(current_proc().pid)); }

Result<uint64_t> sys_getppid(UserFrame&) {
    return static_cast<uint64_t>(number(current_proc().parent_pid.load(std::memory_order_relaxed)));
}

Result<uint64_t> sys_getuid(UserFrame&) { return current_credentials()->real_uid; }
Result<uint64_t> sys_geteuid(UserFrame&) { return current_credentials()->effective_uid; }
Result<uint64_t> sys_getgid(UserFrame&) { return current_credentials()->real_gid; }
Result<uint64_t> sys_getegid(UserFrame&) { return current_credentials()->effective_gid; }

namespace {

// Changes the identity of the current process by `change`, which gets a copy of the old one to work on. Count and identity
// change in one critical section; if another thread was faster, again with what that one left. The audit's record follows.
template <typename Change>
Result<uint64_t> change_identity(ForkloreAuditEvent event, uint64_t audited, Change change) {
    Proc& proc = current_proc();
    for (;;) {
        Ref<Credentials> seen;
        {
            SpinGuard guard(proc.lock);
            seen = proc.credentials;
        }
        Ref<Credentials> fresh = TRY(seen->copy());
        TRY(change(*fresh));
        {
            SpinGuard guard(proc.lock);
            if (proc.credentials.get() != seen.get()) {
                continue;
            }
            proc.slot.move_to(fresh->account);
            std::swap(proc.credentials, fresh);     // the old one is dropped after the lock
        }
        audit::event(event, proc, 0, static_cast<int>(audited));
        return 0;
    }
}

}  // namespace

// POSIX: root sets all three ids; others set the effective one to their real or saved one.
Result<uint64_t> sys_setuid(UserFrame& frame) {
    auto uid = static_cast<Uid>(frame.x[0]);
    if (uid == ~Uid{0}) {
        return Error::Invalid;
    }
    return change_identity(FL_AUDIT_SETUID, uid, [uid](Credentials& who) -> Result<> {
        if (who.is_root()) {
            who.account = TRY(UserAccount::find(uid));
            who.real_uid = who.saved_uid = uid;
        } else if (uid != who.real_uid && uid != who.saved_uid) {
            return Error::NotPermitted;
        }
        who.effective_uid = uid;
        return {};
    });
}

Result<uint64_t> sys_setgid(UserFrame& frame) {
    auto gid = static_cast<Gid>(frame.x[0]);
    if (gid == ~Gid{0}) {
        return Error::Invalid;
    }
    return change_identity(FL_AUDIT_SETGID, gid, [gid](Credentials& who) -> Result<> {
        if (who.is_root()) {
            who.real_gid = who.saved_gid = gid;
        } else if (gid != who.real_gid && gid != who.saved_gid) {
            return Error::NotPermitted;
        }
        who.effective_gid = gid;
        return {};
    });
}

// POSIX: a count of 0 asks only how many there are; too little room is EINVAL and writes nothing.
Result<uint64_t> sys_getgroups(UserFrame& frame) {
    Ref<Credentials> who = current_credentials();
    const GroupList& groups = who->groups;
    const auto room = static_cast<int>(frame.x[0]);
    if (room == 0) {
        return groups.count;
    }
    if (room < 0 || static_cast<size_t>(room) < groups.count) {
        return Error::Invalid;
    }
    TRY(copy_out(UserAddr(frame.x[1]), groups.ids, groups.count * sizeof(Gid)));
    return groups.count;
}

Result<uint64_t> sys_setgroups(UserFrame& frame) {
    GroupList groups;
    if (frame.x[0] > FORKLORE_NGROUPS_MAX) {
        return Error::Invalid;
    }
    groups.count = frame.x[0];
    TRY(copy_in(groups.ids, UserAddr(frame.x[1]), groups.count * sizeof(Gid)));
    return change_identity(FL_AUDIT_SETGROUPS, groups.count, [&groups](Credentials& who) -> Result<> {
        if (!who.is_root()) {
            return Error::NotPermitted;
        }
        who.groups = groups;
        return {};
    });
}
