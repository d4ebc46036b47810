// posix_spawn: gather child, group, program and body; commit; publish. See spawn.h.
#include "kernel/proc/spawn.h"

#include <atomic>

#include "kernel/proc/audit.h"
#include "kernel/proc/events.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/program.h"
#include "kernel/proc/user_path.h"
#include "kernel/sched.h"

namespace {

constexpr uint32_t known_flags =
    FL_SPAWN_RESETIDS | FL_SPAWN_SETPGROUP | FL_SPAWN_SETSIGDEF | FL_SPAWN_SETSIGMASK | FL_SPAWN_SETSID |
    FL_SPAWN_NEWCOALITION | FL_SPAWN_SETPERSONA;

std::atomic<uint64_t> spawns{0};

bool asks(const ForkloreSpawn& attributes, ForkloreSpawnFlags flag) { return (attributes.flags & flag) != 0; }

// Without analysis, here and below: nobody else can see the child yet, so its locks would guard nothing.
Result<> reset_ids(Proc& child) NO_THREAD_SAFETY_ANALYSIS {
    Ref<Credentials> own = TRY(child.credentials->copy());
    own->effective_uid = own->real_uid;
    own->effective_gid = own->real_gid;
    child.credentials = std::move(own);
    return {};
}

void set_default_signals(Proc& child, SignalSet defaults) NO_THREAD_SAFETY_ANALYSIS {
    for (int signal = 1; signal < FORKLORE_NSIG; ++signal) {
        if ((defaults & signal_bit(signal)) != 0) {
            child.signals.actions->actions[signal] = {};
        }
    }
}

ProgramUser user_of(Proc& child) NO_THREAD_SAFETY_ANALYSIS { return {child.credentials, child.directory, child.limits}; }

Result<> find_first_of(NewProgram& program, const ProgramUser& user, const SpawnRequest& request, ArgumentBuffer& arguments) {
    Error error = Error::NoEntry;
    for (UserAddr at = request.paths;; at = at + sizeof(uint64_t)) {
        uint64_t path_at = TRY(copy_in_value<uint64_t>(at));
        if (path_at == 0) {
            return error;
        }
        UserPath path;
        TRY(path.load(path_at));
        Result<> found = find_program(program, user, path.text(), request.argv, request.envp, arguments);
        if (found.ok()) {
            return {};
        }
        // These come before the first argument was gathered.
        if (found.error() == Error::AccessDenied) {
            error = Error::AccessDenied;
        } else if (found.error() != Error::NoEntry && found.error() != Error::NotDirectory) {
            return found;
        }
    }
}

// The group that the child begins in: what has to be made for it is made before anybody sees it.
class FirstGroup {
public:
    static Result<FirstGroup> prepare(Proc& child, const ForkloreSpawn& attributes) {
        FirstGroup first;
        first.number_ = asks(attributes, FL_SPAWN_SETPGROUP) ? attributes.group : parents;
        if (asks(attributes, FL_SPAWN_SETSID)) {
            if (first.number_ != parents) {
                return Error::NotPermitted;     // who leads a session stays in its own group
            }
            first.fresh_ = TRY(make_session(child));
        } else if (first.number_ == 0 || first.number_ == number(child.pid)) {
            first.fresh_ = TRY(zone_new<ProcessGroup>({.wait = false}, child.pid, Ref<Session>{}));
        }
        return first;
    }

    // NotPermitted: there is no such group in the parent's session. A group of its own never fails, and must get its member.
    Result<ProcessGroup*> choose_locked(Proc& parent) REQUIRES(families_lock) {
        if (fresh_) {
            if (!fresh_->session) {
                fresh_->session = parent.group->session;
            }
            return &publish_group_locked(fresh_);
        }
        if (number_ == parents) {
            return parent.group;
        }
        ProcessGroup* group = find_group_locked(static_cast<Pid>(number_));
        if (group == nullptr || group->session.get() != parent.group->session.get()) {
            return Error::NotPermitted;
        }
        return group;
    }

private:
    static constexpr int32_t parents = -1;
    int32_t number_ = parents;
    ZoneOwned<ProcessGroup> fresh_;     // none: the group exists
};

// What the attributes and file actions say of the child itself.
Result<> prepare(Proc& child, const ForkloreSpawn& attributes) {
    if (asks(attributes, FL_SPAWN_RESETIDS)) {
        TRY(reset_ids(child));
    }
    if (asks(attributes, FL_SPAWN_SETSIGDEF)) {
        set_default_signals(child, attributes.defaults);
    }
    TRY(choose_belonging(child.inherited, attributes));
    return run_file_actions(child, attributes);
}

// The program that the child will run, and what runs it.
Result<Body> make_ready(Proc& child, NewProgram& program, const SpawnRequest& request) {
    ArgumentBuffer arguments;
    ProgramUser user = user_of(child);
    TRY(find_first_of(program, user, request, arguments));
    TRY(load_program(program, user, arguments));
    Body body = TRY(make_body(child, program));
    if (asks(request.attributes, FL_SPAWN_SETSIGMASK)) {
        body.uthread->mask = request.attributes.mask & ~unblockable_signals & ~SignalSet{1};
    }
    return body;
}

}  // namespace

uint64_t spawns_ever() { return spawns.load(std::memory_order_relaxed); }

Result<Pid> spawn(const SpawnRequest& request) {
    Proc& parent = current_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(parent));
    ZoneOwned<Proc> made = TRY(forkproc(parent, std::move(slot)));
    FirstGroup first = TRY(FirstGroup::prepare(*made, request.attributes));
    TRY(prepare(*made, request.attributes));
    NewProgram program;
    Body body = TRY(make_ready(*made, program, request));
    Thread* thread = nullptr;
    Pid pid = made->pid;
    become_program(*made, program);     // nobody sees it: no commitment yet
    {
        SpinGuard guard(families_lock);
        // A kill of the whole group, which takes the same lock, could not find the child before: who is killed has none.
        if (cpu::current_thread()->asked(ReturnWork::Kill)) {
            return Error::Interrupted;
        }
        ProcessGroup& group = *TRY(first.choose_locked(parent));

        // Commit. Nothing below this line can fail.
        Proc& child = *made.release();
        thread = &join_body(body, program);
        child.task = std::move(body.task);
        proc_transition(child, ProcState::Running);
        join_group_locked(group, child);
        family_enter_locked(child, parent);
        child.has_terminal &= group.session.get() == parent.group->session.get();
        audit::event(FL_AUDIT_EXEC, child);
    }
    spawns.fetch_add(1, std::memory_order_relaxed);
    proc_event(ProcEvent::Exec, pid, pid);
    thread_start(*thread);
    return pid;
}

Result<uint64_t> sys_posix_spawn(UserFrame& frame) {
    SpawnRequest request{.paths = UserAddr(frame.x[0]), .attributes = {}, .argv = UserAddr(frame.x[2]), .envp = UserAddr(frame.x[3])};
    if (UserAddr attributes(frame.x[1]); !attributes.null()) {
        request.attributes = TRY(copy_in_value<ForkloreSpawn>(attributes));
    }
    const ForkloreSpawn& attributes = request.attributes;
    if ((attributes.flags & ~known_flags) != 0 || attributes.action_count > FORKLORE_SPAWN_ACTIONS_MAX ||
        (asks(attributes, FL_SPAWN_SETPGROUP) && attributes.group < 0)) {
        return Error::Invalid;
    }
    return static_cast<uint64_t>(number(TRY(spawn(request))));
}
