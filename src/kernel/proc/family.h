// Kinship: the table of all processes, groups and sessions.
//
// Lock: families_lock guards these lists, and kin and state of each Proc. An object in them is complete: fork publishes
// last. Counterpart in the original: the list lock, allproc, pidhash, pgrphash.
#pragma once

#include "base/ref.h"
#include "kernel/proc/proc.h"

class Terminal;

// Named by the pid of its maker, which stays in use (PidUse::Session) while a group of it lives.
class Session : public RefCounted {
public:
    static Zone& zone();
    explicit Session(Proc& maker) : id(maker.pid), leader(&maker) {}
    void last_reference_gone();

    const Pid id;
    bool published = false;                                 // its number is in use
    Proc* leader GUARDED_BY(families_lock);                 // none when it exited
    Terminal* terminal GUARDED_BY(families_lock) = nullptr; // the controlling one
};

// Lives while it has a member; as long its number is in use as PidUse::Group.
class ProcessGroup {
public:
    static Zone& zone();
    ProcessGroup(Pid group, Ref<Session> its_session) : id(group), session(std::move(its_session)) {}

    const Pid id;
    Ref<Session> session;                                       // written before the group can be found
    ListNode link;                                              // groups of one hash bucket
    List<Proc, &Proc::group_link> members GUARDED_BY(families_lock);
    size_t stopped_members = 0;
};

// Puts a complete process into the table and among its parent's children, and tells of it (events.h): it has the terminal if
// the parent has it, its slot is counted to its user, its band of memory follows the parent's, its processor time is watched from here. Takes it out.
void family_enter_locked(Proc& proc, Proc& parent) REQUIRES(families_lock);
void family_leave_locked(Proc& proc) REQUIRES(families_lock);

// The only place that changes Proc::parent. The lists of children are the caller's.
void set_parent_locked(Proc& proc, Proc* parent) REQUIRES(families_lock);

// By number, zombies too; the pointer is good while the lock is held.
Proc* find_process_locked(Pid pid) REQUIRES(families_lock);
ProcessGroup* find_group_locked(Pid group) REQUIRES(families_lock);

// In the order of their unique ids.
List<Proc, &Proc::table_link>& all_processes() REQUIRES(families_lock);
size_t process_count_locked() REQUIRES(families_lock);

void join_group_locked(ProcessGroup& group, Proc& proc) REQUIRES(families_lock);
// From here the group can be found, and its session if this is its first; it must get a member before the lock is released.
ProcessGroup& publish_group_locked(ZoneOwned<ProcessGroup>& fresh) REQUIRES(families_lock);
// A session that nobody knows yet, in a group that nobody knows yet, both for `maker` and with its number. NoMemory.
Result<ZoneOwned<ProcessGroup>> make_session(Proc& maker);
// The group, if this was its last member: to be dropped after the lock.
[[nodiscard]] ZoneOwned<ProcessGroup> leave_group_locked(Proc& proc) REQUIRES(families_lock);
// A session and a group of its own for `proc`, which leaves its old ones. NotPermitted if it leads a group.
Result<> start_session(Proc& proc) EXCLUDES(families_lock);

// The group that kill and waitpid mean by a negative number. The lowest, which has no positive counterpart, stays: nobody's.
constexpr Pid group_of_argument(int32_t negative) { return static_cast<Pid>(0u - static_cast<uint32_t>(negative)); }

// POSIX: a group is orphaned if no member has a parent in another group of the same session. `leaving` does not count
// as a parent any more.
bool group_orphaned_locked(ProcessGroup& group, const Proc* leaving) REQUIRES(families_lock);
void signal_group_locked(ProcessGroup& group, const ForkloreSiginfo& info) REQUIRES(families_lock);
// The same for who is in the foreground of a session's terminal, if the number is still that of a group of the session.
void signal_foreground_group_locked(Pid session, Pid group, int signal) REQUIRES(families_lock);

Result<uint64_t> sys_setpgid(UserFrame& frame);
Result<uint64_t> sys_getpgid(UserFrame& frame);
Result<uint64_t> sys_setsid(UserFrame& frame);
Result<uint64_t> sys_getsid(UserFrame& frame);
