// Proc: zones, the kernel's own process, references, states.
#include "kernel/proc/proc.h"

#include "kernel/fs/root.h"

#include <algorithm>
#include <cstring>

#include "kernel/proc/family.h"
#include "kernel/proc/kqueue.h"
#include "kernel/proc/shared_segment.h"
#include "kernel/sched.h"
#include "kernel/time_values.h"
#include "machine/clock.h"
#include "machine/trace.h"

Zone& Proc::zone() {
    static Zone& zone =
        zone_create({.name = "proc", .element_size = sizeof(Proc), .clear_on_free = true}).value();
    return zone;
}

Proc::Proc(Pid number) : pid(number) {
    trace::event(TraceKind::Gather, static_cast<uint64_t>(pid));
}

Proc::~Proc() {
    ASSERT(lent_thread == nullptr);     // it would come home to nobody
    trace::event(TraceKind::Gone, static_cast<uint64_t>(pid), static_cast<uint64_t>(state));
    pid_release(pid, PidUse::Process);
}

Zone& ProcStats::zone() {
    static Zone& zone =
        zone_create({.name = "pstats", .element_size = sizeof(ProcStats), .clear_on_free = true}).value();
    return zone;
}

namespace {

// Those that no process needs at once: see make_zones in fs/root.cpp.
void make_zones() {
    Note::zone();
    Kqueue::zone();
    SharedSegment::zone();
    Persona::zone();
}

Proc* the_kernel_proc = nullptr;

}  // namespace

Proc& kernel_proc() { return *the_kernel_proc; }

// Process 0 is made by hand: it is nobody's child, has no task, and only hands its credentials and limits to init.
// Without analysis: nobody else runs yet.
Result<> proc_init() NO_THREAD_SAFETY_ANALYSIS {
    make_zones();
    Proc& proc = *TRY(zone_new<Proc>({.wait = false, .zero = true}, Pid::Kernel)).release();
    proc.credentials = TRY(Credentials::root());
    proc.limits = TRY(Limits::defaults());
    proc.files = TRY(FileTable::create());
    proc.stats = TRY(zone_new<ProcStats>({.wait = false, .zero = true}));
    proc.stats->start = machine_clock::now();
    proc.slot = TRY(ProcSlot::reserve(*proc.credentials, FL_RLIM_INFINITY));
    proc.signals.actions = TRY(zone_new<SignalActions>({.wait = false, .zero = true}));
    memcpy(proc.inherited.name, "kernel", sizeof "kernel");
    proc.inherited.responsible = Pid::Init;     // which all have from here, as the first coalition
    proc.inherited.coalition = TRY(Coalition::create());
    proc.state = ProcState::Running;
    TRY(start_session(proc));
    the_kernel_proc = &proc;
    return {};
}

void proc_transition(Proc& proc, ProcState to) {
    families_lock.assert_held();
    bool allowed = false;
    switch (proc.state) {
    case ProcState::Creating:
        allowed = to == ProcState::Running;
        break;
    case ProcState::Running:
        allowed = to == ProcState::Stopped || to == ProcState::Exiting;
        break;
    case ProcState::Stopped:
        allowed = to == ProcState::Running || to == ProcState::Exiting;
        break;
    case ProcState::Exiting:
        allowed = to == ProcState::Zombie;
        break;
    case ProcState::Zombie:
        break;
    }
    if (!allowed) {
        panic("a process took a forbidden step in its life (states from, to)", static_cast<uint64_t>(proc.state),
              static_cast<uint64_t>(to));
    }
    if (proc.group != nullptr) {
        proc.group->stopped_members += to == ProcState::Stopped ? 1u : 0u;
        proc.group->stopped_members -= proc.state == ProcState::Stopped ? 1u : 0u;
    }
    trace::event(TraceKind::State, static_cast<uint64_t>(proc.pid),
                 static_cast<uint64_t>(proc.state) | static_cast<uint64_t>(to) << 8 | static_cast<uint64_t>(proc.wait_status) << 16);
    proc.state = to;
}

Ref<Credentials> current_credentials() {
    UThread& uthread = current_uthread();
    if (uthread.assumed) {
        return uthread.assumed;
    }
    Proc& proc = current_proc();
    SpinGuard guard(proc.lock);
    return proc.credentials;
}

Ref<Vnode> current_directory() {
    UThread& uthread = current_uthread();
    if (uthread.directory) {
        return uthread.directory;
    }
    Proc& proc = current_proc();
    SpinGuard guard(proc.lock);
    return proc.directory ? proc.directory : Ref<Vnode>::share(root_directory());   // nobody has moved yet
}

void set_current_directory(Ref<Vnode> directory) {
    Proc& proc = current_proc();
    SpinGuard guard(proc.lock);
    std::swap(proc.directory, directory);   // the old one is dropped after the lock
}

uint64_t current_limit(ForkloreResource resource) {
    Proc& proc = current_proc();
    SpinGuard guard(proc.lock);
    return proc.limits->current(resource);
}

namespace {

void add(ForkloreTime& sum, const ForkloreTime& part) {
    sum.seconds += part.seconds;
    sum.nanoseconds += part.nanoseconds;
    if (sum.nanoseconds >= static_cast<int64_t>(nanoseconds_per_second)) {
        sum.nanoseconds -= static_cast<int64_t>(nanoseconds_per_second);
        ++sum.seconds;
    }
}

}  // namespace

void usage_add(ForkloreUsage& sum, const ForkloreUsage& part) {
    add(sum.user, part.user);
    add(sum.system, part.system);
    sum.peak_pages = std::max(sum.peak_pages, part.peak_pages);
    sum.minor_faults += part.minor_faults;
    sum.voluntary_switches += part.voluntary_switches;
    sum.involuntary_switches += part.involuntary_switches;
    sum.signals += part.signals;
}

ForkloreUsage proc_usage(Proc& proc) {
    const ProcStats& stats = *proc.stats;
    SpinGuard guard(proc.signals.lock);     // so that a thread which ends meanwhile is counted once
    Nanoseconds user = stats.user;
    Nanoseconds system = stats.system;
    uint64_t voluntary = stats.voluntary_switches;
    uint64_t involuntary = stats.involuntary_switches;
    uint64_t faults = stats.minor_faults;
    uint64_t peak = stats.peak_pages;
    if (Task* task = proc.task.get()) {
        peak = std::max(peak, task->space->peak_estimate().value);
        SpinGuard task_guard(task->lock);
        for (Thread& thread : task->threads) {
            Nanoseconds thread_user = 0, thread_system = 0;
            thread_times(thread, thread_user, thread_system);
            user += thread_user;
            system += thread_system;
            voluntary += thread.voluntary_switches;
            involuntary += thread.involuntary_switches;
            faults += thread.minor_faults;
        }
    }
    return {.user = time_of(user),
            .system = time_of(system),
            .peak_pages = static_cast<int64_t>(peak),
            .minor_faults = static_cast<int64_t>(faults),
            .voluntary_switches = static_cast<int64_t>(voluntary),
            .involuntary_switches = static_cast<int64_t>(involuntary),
            .signals = static_cast<int64_t>(stats.signals)};
}
