// wait4 and waitid: a parent learns of its children's ends, stops and continuations. Lock: families_lock.
#include <optional>

#include "kernel/proc/calls.h"
#include "kernel/proc/events.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "mm/user_copy.h"

namespace {

// Which children are meant: one, those of a group, or all.
struct Selector {
    Pid one = Pid::None;
    std::optional<Pid> group;

    bool matches(const Proc& child) const REQUIRES(families_lock) { return !group || child.group->id == *group; }

    static Selector of_caller_group() {
        SpinGuard guard(families_lock);
        return {.one = Pid::None, .group = current_proc().group->id};
    }
    // As waitpid's first argument says it.
    static Selector of(int32_t pid) {
        if (pid > 0) {
            return {.one = static_cast<Pid>(pid), .group = {}};
        }
        if (pid == 0) {
            return of_caller_group();
        }
        return {.one = Pid::None, .group = pid == -1 ? std::nullopt : std::optional(group_of_argument(pid))};
    }
};

struct Report {
    Pid pid = Pid::None;            // none: nothing to report
    int status = 0;
    Proc* zombie = nullptr;         // taken out of the family: to be reaped by the finder
    ZoneOwned<ProcessGroup> emptied_group;
};

// What is to be told of one child, if anything; a zombie leaves the family, so that nobody else finds it.
Report report_of_locked(Proc& child, int options) REQUIRES(families_lock) {
    const bool keep = (options & FL_WNOWAIT) != 0;
    if ((options & FL_WEXITED) != 0 && child.state == ProcState::Zombie && keep) {
        return {child.pid, child.wait_status, nullptr, {}};
    }
    if ((options & FL_WEXITED) != 0 && child.state == ProcState::Zombie) {
        Report report{child.pid, child.wait_status, &child, leave_group_locked(child)};
        family_leave_locked(child);
        return report;
    }
    if ((options & FL_WUNTRACED) != 0 && child.state == ProcState::Stopped && child.stop_unreported) {
        child.stop_unreported = keep;
        return {child.pid, child.wait_status, nullptr, {}};
    }
    if ((options & FL_WCONTINUED) != 0 && child.continue_unreported) {
        child.continue_unreported = keep;
        return {child.pid, status_of_continue, nullptr, {}};
    }
    return {};
}

// What a zombie and its own children used counts for its parent from now on, and what it used itself for its coalition: in the
// critical section in which it leaves the table, so that whoever sums sees it once.
ForkloreUsage count_usage_locked(Proc& parent, Proc& zombie) REQUIRES(families_lock) {
    ForkloreUsage usage = proc_usage(zombie);
    if (Coalition* coalition = zombie.inherited.coalition.get()) {
        coalition->member_ended_locked(usage);
    }
    if (zombie.stats->children) {
        usage_add(usage, *zombie.stats->children);
    }
    if (std::optional<ForkloreUsage>& sum = parent.stats->children) {
        usage_add(*sum, usage);
    } else {
        sum = usage;
    }
    return usage;
}

// `usage` is set if the report is a zombie.
Result<Report> find_report(Proc& parent, const Selector& selector, int options, ForkloreUsage& usage) {
    SpinGuard guard(families_lock);
    for (;;) {
        bool any = false;
        Report report;
        if (selector.one != Pid::None) {
            // One child, found by its number: the price does not grow with the number of children.
            Proc* child = find_process_locked(selector.one);
            any = child != nullptr && child->parent == &parent;
            if (any) {
                report = report_of_locked(*child, options);
            }
        } else {
            for (Proc& child : parent.children) {
                if (!selector.matches(child)) {
                    continue;
                }
                any = true;
                report = report_of_locked(child, options);
                if (report.pid != Pid::None) {
                    break;
                }
            }
        }
        if (report.zombie != nullptr) {
            usage = count_usage_locked(parent, *report.zombie);
        }
        if (report.pid != Pid::None) {
            return report;
        }
        if (!any) {
            return Error::NoChild;
        }
        if ((options & FL_WNOHANG) != 0) {
            return Report{};
        }
        if (park(parent.children_changed, families_lock, {.interruptible = true}) == WakeReason::Interrupted) {
            return Error::Restart;
        }
    }
}

// The end of a zombie, which nobody can find any more: number, slot and memory are free again.
void reap(Proc& parent, Proc& zombie) {
    const Pid pid = zombie.pid;
    ZoneDelete<Proc>{}(zombie);
    proc_event(ProcEvent::Reap, parent.pid, pid);
}

// What a wait brings home. None: nothing to tell yet (FL_WNOHANG).
struct Waited {
    Pid pid = Pid::None;
    int status = 0;
    ForkloreUsage usage{};      // of a child that was collected
};

// `options` are a set of ForkloreWaitOptions.
Result<Waited> wait_for_child(const Selector& selector, int options) {
    Proc& parent = current_proc();
    Waited waited;
    Report report = TRY(find_report(parent, selector, options, waited.usage));
    waited.pid = report.pid;
    waited.status = report.status;
    if (report.zombie != nullptr) {
        reap(parent, *report.zombie);
    }
    return waited;
}

}  // namespace

Result<uint64_t> sys_wait4(UserFrame& frame) {
    auto pid = static_cast<int32_t>(frame.x[0]);
    UserAddr status_at(frame.x[1]);
    auto options = static_cast<int>(frame.x[2]);
    UserAddr usage_at(frame.x[3]);
    if ((options & ~(FL_WNOHANG | FL_WUNTRACED | FL_WCONTINUED)) != 0) {
        return Error::Invalid;
    }
    Waited waited = TRY(wait_for_child(Selector::of(pid), options | FL_WEXITED));
    if (waited.pid == Pid::None) {
        return 0;
    }
    // The child is collected: a bad address costs the caller the report, not us the zombie.
    if (!status_at.null()) {
        TRY(copy_out_value(status_at, waited.status));
    }
    if (!usage_at.null()) {
        TRY(copy_out_value(usage_at, waited.usage));
    }
    return static_cast<uint64_t>(number(waited.pid));
}

Result<uint64_t> sys_waitid(UserFrame& frame) {
    auto who = static_cast<int32_t>(frame.x[1]);
    UserAddr info_at(frame.x[2]);
    auto options = static_cast<int>(frame.x[3]);
    constexpr int events = FL_WEXITED | FL_WUNTRACED | FL_WCONTINUED;
    if ((options & ~(events | FL_WNOHANG | FL_WNOWAIT)) != 0 || (options & events) == 0) {
        return Error::Invalid;
    }
    const bool all = frame.x[0] == FL_P_ALL, group = frame.x[0] == FL_P_PGID;
    if ((!all && !group && frame.x[0] != FL_P_PID) || (!all && who < (group ? 0 : 1))) {
        return Error::Invalid;
    }
    Selector selector = all                  ? Selector::of(-1)
                        : group && who != 0 ? Selector{.one = Pid::None, .group = static_cast<Pid>(who)}
                                             : Selector::of(who);
    Waited waited = TRY(wait_for_child(selector, options));
    if (!info_at.null()) {
        TRY(copy_out_value(info_at, waited.pid == Pid::None ? ForkloreSiginfo{} : siginfo_of_child(waited.pid, waited.status)));
    }
    return 0;
}
