// Kinship. Lock: families_lock for everything here.
#include "kernel/proc/family.h"

#include "kernel/fs/terminal.h"
#include "kernel/fs/upward.h"
#include "kernel/proc/audit.h"
#include "kernel/proc/events.h"
#include "kernel/proc/memory_pressure.h"
#include "machine/trace.h"

SpinLock families_lock{LockRank::Families, "families"};

namespace {

constexpr size_t bucket_count = 1024;
List<Proc, &Proc::hash_link> pid_hash[bucket_count] GUARDED_BY(families_lock);
List<Proc, &Proc::table_link> table GUARDED_BY(families_lock);
List<ProcessGroup, &ProcessGroup::link> group_hash[bucket_count] GUARDED_BY(families_lock);
size_t process_count GUARDED_BY(families_lock) = 0;

constexpr size_t bucket_of(Pid pid) { return static_cast<size_t>(number(pid)) % bucket_count; }

}  // namespace

Zone& Session::zone() {
    static Zone& zone = zone_create({.name = "sessions", .element_size = sizeof(Session)}).value();
    return zone;
}

void Session::last_reference_gone() {
    if (published) {
        pid_release(id, PidUse::Session);
    }
    ZoneDelete<Session>{}(*this);
}

Zone& ProcessGroup::zone() {
    static Zone& zone = zone_create({.name = "groups", .element_size = sizeof(ProcessGroup)}).value();
    return zone;
}

void set_parent_locked(Proc& proc, Proc* parent) {
    proc.parent = parent;
    proc.parent_pid.store(parent != nullptr ? parent->pid : Pid::None, std::memory_order_relaxed);
}

namespace {

// What a child has of its parent as of the moment at which it can be found.
void settle_locked(Proc& proc, Proc& parent) REQUIRES(families_lock) {
    proc.has_terminal = parent.has_terminal && parent.group->session->terminal != nullptr;
    {
        SpinGuard guard(proc.lock);
        proc.slot.move_to(proc.credentials->account);   // should the user have changed since the slot was taken
    }
    inherit_memory_band_locked(proc, parent);
    CpuLimit::watch(proc);
}

// The table is in the order of unique ids, which children get before they can be found: one that took longer to make than the
// next has to go in before it.
void enter_table_locked(Proc& proc) REQUIRES(families_lock) {
    Proc* younger = nullptr;
    for (Proc* other = table.last(); other != nullptr && other->unique_id > proc.unique_id; other = table.before(*other)) {
        younger = other;
    }
    if (younger != nullptr) {
        table.insert_before(*younger, proc);
    } else {
        table.push_back(proc);
    }
}

}  // namespace

void family_enter_locked(Proc& proc, Proc& parent) {
    settle_locked(proc, parent);
    set_parent_locked(proc, &parent);
    parent.children.push_back(proc);
    enter_table_locked(proc);
    pid_hash[bucket_of(proc.pid)].push_front(proc);
    ++process_count;
    trace::event(TraceKind::Publish, static_cast<uint64_t>(proc.pid), static_cast<uint64_t>(parent.pid));
    tell_watchers_locked(parent, FL_NOTE_FORK, number(proc.pid));
    audit::event(FL_AUDIT_FORK, parent, number(proc.pid));
    proc_event(ProcEvent::Fork, parent.pid, proc.pid);
    proc_event(ProcEvent::Create, parent.pid, proc.pid);
    if (proc.lent_thread != nullptr) {
        proc_event(ProcEvent::Lend, parent.pid, proc.pid);
    }
}

void family_leave_locked(Proc& proc) {
    proc.sibling_link.unlink();
    proc.table_link.unlink();
    proc.hash_link.unlink();
    set_parent_locked(proc, nullptr);
    --process_count;
}

Proc* find_process_locked(Pid pid) {
    if (number(pid) <= 0) {
        return nullptr;
    }
    for (Proc& proc : pid_hash[bucket_of(pid)]) {
        if (proc.pid == pid) {
            return &proc;
        }
    }
    return nullptr;
}

ProcessGroup* find_group_locked(Pid id) {
    for (ProcessGroup& group : group_hash[bucket_of(id)]) {
        if (group.id == id) {
            return &group;
        }
    }
    return nullptr;
}

List<Proc, &Proc::table_link>& all_processes() { return table; }

size_t process_count_locked() { return process_count; }

void join_group_locked(ProcessGroup& group, Proc& proc) {
    ASSERT(proc.group == nullptr);
    proc.group = &group;
    group.members.push_back(proc);
    group.stopped_members += proc.state == ProcState::Stopped ? 1u : 0u;
}

ZoneOwned<ProcessGroup> leave_group_locked(Proc& proc) {
    ProcessGroup& group = *std::exchange(proc.group, nullptr);
    group.members.remove(proc);
    group.stopped_members -= proc.state == ProcState::Stopped ? 1u : 0u;
    if (!group.members.empty()) {
        return {};
    }
    group.link.unlink();
    pid_release(group.id, PidUse::Group);
    return ZoneOwned<ProcessGroup>(group);
}

ProcessGroup& publish_group_locked(ZoneOwned<ProcessGroup>& fresh) {
    Session& session = *fresh->session;
    if (!session.published) {
        pid_take(session.id, PidUse::Session);
        session.published = true;
    }
    pid_take(fresh->id, PidUse::Group);
    group_hash[bucket_of(fresh->id)].push_front(*fresh);
    return *fresh.release();
}

Result<ZoneOwned<ProcessGroup>> make_session(Proc& maker) {
    auto session = Ref<Session>::adopt(*TRY(zone_new<Session>({.wait = false}, maker)).release());
    return zone_new<ProcessGroup>({.wait = false}, maker.pid, std::move(session));
}

Result<> start_session(Proc& proc) {
    ZoneOwned<ProcessGroup> group = TRY(make_session(proc));
    ZoneOwned<ProcessGroup> old;
    SpinGuard guard(families_lock);
    if (find_group_locked(proc.pid) != nullptr) {
        return Error::NotPermitted;
    }
    if (proc.group != nullptr) {
        old = leave_group_locked(proc);
    }
    proc.has_terminal = false;
    join_group_locked(publish_group_locked(group), proc);
    return {};
}

bool session_takes_terminal(Terminal& terminal) {
    SpinGuard guard(families_lock);
    Proc& proc = current_proc();
    Session& session = *proc.group->session;
    if (session.terminal != nullptr) {
        return false;
    }
    session.terminal = &terminal;
    proc.has_terminal = true;
    return true;
}

bool group_orphaned_locked(ProcessGroup& group, const Proc* leaving) {
    for (Proc& member : group.members) {
        Proc* parent = member.parent;
        if (&member == leaving || parent == nullptr || parent == leaving || parent->group == nullptr) {
            continue;
        }
        if (parent->group != &group && parent->group->session.get() == group.session.get()) {
            return false;
        }
    }
    return true;
}

void signal_group_locked(ProcessGroup& group, const ForkloreSiginfo& info) {
    for (Proc& member : group.members) {
        signal_process(member, info);
    }
}

namespace {

Result<Proc*> self_or_process_locked(int64_t pid) REQUIRES(families_lock) {
    if (pid == 0) {
        return &current_proc();
    }
    Proc* proc = pid > 0 && pid <= largest_pid_max ? find_process_locked(static_cast<Pid>(pid)) : nullptr;
    if (proc == nullptr) {
        return Error::NoProcess;
    }
    return proc;
}

// POSIX's conditions for moving `proc` into the group `id`. The group, or nullptr if it has to be made.
Result<ProcessGroup*> may_join_locked(Proc& caller, Proc& proc, Pid id) REQUIRES(families_lock) {
    if (&proc != &caller && proc.parent != &caller) {
        return Error::NoProcess;
    }
    if (proc.state == ProcState::Zombie || proc.group == nullptr) {
        return Error::NoProcess;
    }
    if (&proc != &caller && proc.has_execed) {
        return Error::AccessDenied;
    }
    if (proc.group->session.get() != caller.group->session.get() || proc.group->session->leader == &proc) {
        return Error::NotPermitted;
    }
    ProcessGroup* group = find_group_locked(id);
    if (group == nullptr && id != proc.pid) {
        return Error::NotPermitted;
    }
    if (group != nullptr && group->session.get() != caller.group->session.get()) {
        return Error::NotPermitted;
    }
    return group;
}

}  // namespace

Result<uint64_t> sys_setpgid(UserFrame& frame) {
    auto pid = static_cast<int32_t>(frame.x[0]);
    auto wanted = static_cast<int32_t>(frame.x[1]);
    if (pid < 0 || wanted < 0) {
        return Error::Invalid;
    }
    Proc& caller = current_proc();
    Pid target = Pid::None;
    {
        SpinGuard guard(families_lock);
        target = TRY(self_or_process_locked(pid))->pid;
    }
    // The group that may have to be made is made first: nothing can fail once the old one is left.
    Pid id = wanted == 0 ? target : static_cast<Pid>(wanted);
    ZoneOwned<ProcessGroup> fresh, old;
    for (;;) {
        Ref<Session> session;
        {
            SpinGuard guard(families_lock);
            Proc& proc = *TRY(self_or_process_locked(number(target)));
            ProcessGroup* group = TRY(may_join_locked(caller, proc, id));
            if (group == proc.group) {
                return 0;
            }
            if (group == nullptr && fresh && fresh->session.get() == caller.group->session.get()) {
                group = &publish_group_locked(fresh);
            }
            if (group != nullptr) {
                old = leave_group_locked(proc);
                join_group_locked(*group, proc);
                return 0;
            }
            session = caller.group->session;
        }
        fresh = TRY(zone_new<ProcessGroup>({.wait = false}, id, session));
    }
}

Result<uint64_t> sys_getpgid(UserFrame& frame) {
    SpinGuard guard(families_lock);
    Proc& proc = *TRY(self_or_process_locked(static_cast<int32_t>(frame.x[0])));
    if (proc.group == nullptr) {
        return Error::NoProcess;
    }
    return static_cast<uint64_t>(number(proc.group->id));
}

Result<uint64_t> sys_getsid(UserFrame& frame) {
    SpinGuard guard(families_lock);
    Proc& proc = *TRY(self_or_process_locked(static_cast<int32_t>(frame.x[0])));
    if (proc.group == nullptr) {
        return Error::NoProcess;
    }
    return static_cast<uint64_t>(number(proc.group->session->id));
}

Result<uint64_t> sys_setsid(UserFrame&) {
    Proc& proc = current_proc();
    TRY(start_session(proc));
    return static_cast<uint64_t>(number(proc.pid));
}
