// wait4: a parent learns of its children's ends, stops and continuations. Lock: families_lock.
#include "kernel/proc/events.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "mm/user_copy.h"

namespace {

// Which children waitpid's first argument means, if it is not one's number.
struct Selector {
    int32_t pid;
    Pid caller_group;

    bool matches(const Proc& child) const REQUIRES(families_lock) {
        if (pid == -1) {
            return true;
        }
        return child.group->id == (pid == 0 ? caller_group : static_cast<Pid>(-pid));
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
    if (child.state == ProcState::Zombie) {
        Report report{child.pid, child.wait_status, &child, leave_group_locked(child)};
        family_leave_locked(child);
        return report;
    }
    if ((options & FL_WUNTRACED) != 0 && child.state == ProcState::Stopped && child.stop_unreported) {
        child.stop_unreported = false;
        return {child.pid, child.wait_status, nullptr, {}};
    }
    if ((options & FL_WCONTINUED) != 0 && child.continue_unreported) {
        child.continue_unreported = false;
        return {child.pid, status_of_continue, nullptr, {}};
    }
    return {};
}

Result<Report> find_report(Proc& parent, const Selector& selector, int options) {
    SpinGuard guard(families_lock);
    for (;;) {
        bool any = false;
        Report report;
        if (selector.pid > 0) {
            // One child, found by its number: the price does not grow with the number of children.
            Proc* child = find_process_locked(static_cast<Pid>(selector.pid));
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

void add(ForkloreTime& sum, const ForkloreTime& part) {
    sum.seconds += part.seconds;
    sum.nanoseconds += part.nanoseconds;
    if (sum.nanoseconds >= static_cast<int64_t>(nanoseconds_per_second)) {
        sum.nanoseconds -= static_cast<int64_t>(nanoseconds_per_second);
        ++sum.seconds;
    }
}

void add(ForkloreUsage& sum, const ForkloreUsage& part) {
    add(sum.user, part.user);
    add(sum.system, part.system);
    sum.peak_pages = sum.peak_pages > part.peak_pages ? sum.peak_pages : part.peak_pages;
    sum.minor_faults += part.minor_faults;
    sum.voluntary_switches += part.voluntary_switches;
    sum.involuntary_switches += part.involuntary_switches;
    sum.signals += part.signals;
}

// The end of a zombie, which nobody can find any more: number, slot and memory are free again.
ForkloreUsage reap(Proc& parent, Proc& zombie) {
    ForkloreUsage usage = proc_usage(zombie);
    add(usage, zombie.stats->children);
    {
        SpinGuard guard(families_lock);
        add(parent.stats->children, usage);
    }
    const Pid pid = zombie.pid;
    ZoneDelete<Proc>{}(zombie);
    proc_event(ProcEvent::Reap, parent.pid, pid);
    return usage;
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
    Proc& parent = current_proc();
    Selector selector{pid, Pid::None};
    if (pid == 0) {
        SpinGuard guard(families_lock);
        selector.caller_group = parent.group->id;
    }
    Report report = TRY(find_report(parent, selector, options));
    if (report.pid == Pid::None) {
        return 0;
    }
    ForkloreUsage usage{};
    if (report.zombie != nullptr) {
        usage = reap(parent, *report.zombie);
    }
    // The child is collected: a bad address costs the caller the report, not us the zombie.
    if (!status_at.null()) {
        TRY(copy_out_value(status_at, report.status));
    }
    if (!usage_at.null()) {
        TRY(copy_out_value(usage_at, usage));
    }
    return static_cast<uint64_t>(number(report.pid));
}
