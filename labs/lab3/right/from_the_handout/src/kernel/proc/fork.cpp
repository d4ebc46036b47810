// Process creation: gather, commit, publish. The contract is fork.h.
//
// Each step that can fail gives an owner; TRY leaves the function, and the owners made so far give back what they hold.
// There is no clean-up code in this file. fork1 and cloneproc_init differ in what they gather, and share the rest (launch).
#include "kernel/proc/fork.h"

#include <atomic>

#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "machine/clock.h"

namespace {

CopyMode copy_mode = CopyMode::CopyOnWrite;
std::atomic<ForkPolicy> registered_policy{nullptr};
std::atomic<uint64_t> forks{0};

// A thread and its Unix half, which do not know each other yet.
struct ChildThread {
    ZoneOwned<Thread> thread;
    ZoneOwned<UThread> uthread;     // refers to the thread, so it goes first
};

// What a child has of its parent that the parent's Proc::lock guards.
struct Lineage {
    Inherited inherited;
    Ref<Credentials> credentials;
    Ref<Limits> limits;
    Ref<Vnode> directory, program;
};

// What the calling thread took for itself goes before what its process has.
Lineage lineage_of(Proc& parent) {
    const UThread* caller = cpu::current_thread()->uthread;     // the first process is made by a thread that has none
    const bool has_assumed = caller != nullptr && caller->assumed;
    const bool has_directory = caller != nullptr && caller->directory;
    SpinGuard guard(parent.lock);
    return {
        .inherited = parent.inherited,
        .credentials = has_assumed ? caller->assumed : parent.credentials,
        .limits = parent.limits,
        .directory = has_directory ? caller->directory : parent.directory,
        .program = parent.program,
    };
}

// A Proc with a number, which it gives back at its end; until it is there, we do.
Result<ZoneOwned<Proc>> make_numbered() {
    const Pid pid = TRY(pid_allocate());
    ScopeGuard number([pid] { pid_release(pid, PidUse::Process); });
    ZoneOwned<Proc> proc = TRY(zone_new<Proc>({}, pid));
    number.release();
    return proc;
}

Result<ZoneOwned<SignalActions>> clone_actions(Proc& parent) {
    ZoneOwned<SignalActions> actions = TRY(zone_new<SignalActions>({}));
    SpinGuard guard(parent.signals.lock);
    *actions = *parent.signals.actions;
    return actions;
}

Result<ZoneOwned<Task>> make_task(Result<Ref<AddressSpace>> space, Proc& child) {
    return zone_new<Task>({}, TRY(std::move(space)), &child);
}

// `from` is the thread whose Unix half is inherited, if one is.
Result<ChildThread> make_thread(const char* name, Proc& child, const UThread* from) {
    ZoneOwned<Thread> thread = TRY(thread_create(name));
    ZoneOwned<UThread> uthread = TRY(uthread_alloc(*thread, child, from));
    return ChildThread{std::move(thread), std::move(uthread)};
}

// The child's one thread: the calling one's twin, but that fork returned 0 to it.
Result<ChildThread> clone_thread(Proc& child, const UserFrame& frame) {
    const Thread& caller = *cpu::current_thread();
    ChildThread made = TRY(make_thread(caller.name, child, caller.uthread));
    Thread& thread = *made.thread;

    thread.user_frame() = frame;
    thread.user_frame().x[0] = 0;
    thread.user_frame().x[1] = 1;
    thread_set_user_entry(thread);

    thread.thread_pointer = cpu::user_thread_pointer();
    fp_sync();
    thread.uses_fp = caller.uses_fp;
    if (caller.uses_fp) {
        thread.fp = caller.fp;
    }
    thread_set_nice(thread, caller.nice.load(std::memory_order_relaxed));
    return made;
}

// Commit and publish: nothing here can fail. The parts become one child, then others see it, then it runs.
Pid launch(Proc& parent, ZoneOwned<Proc> whole, ZoneOwned<Task> task, ChildThread made) {
    Thread& thread = *made.thread;
    thread.uthread = made.uthread.release();
    task->add(thread);
    whole->task = std::move(task);

    Proc& child = *whole.release();
    const Pid pid = child.pid;
    publish(parent, child);
    thread_start(std::move(made.thread));
    return pid;     // the child may be gone by now
}

// A kill that came for the parent before the child could be found.
void pass_kill_on(Proc& parent, Proc& child) REQUIRES(families_lock) {
    ForkloreSiginfo kill;
    {
        SpinGuard guard(parent.signals.lock);
        if ((parent.signals.pending & signal_bit(FL_SIGKILL)) == 0) {
            return;
        }
        kill = parent.signals.info[FL_SIGKILL];
    }
    signal_process(child, kill);
}

}  // namespace

void set_fork_copy_mode(CopyMode mode) { copy_mode = mode; }
CopyMode fork_copy_mode() { return copy_mode; }

void set_fork_policy(ForkPolicy policy) { registered_policy.store(policy, std::memory_order_release); }

Result<> fork_policy_check(Proc& parent) {
    const ForkPolicy policy = registered_policy.load(std::memory_order_acquire);
    return policy != nullptr ? policy(parent) : Result<>{};
}

uint64_t forks_ever() { return forks.load(std::memory_order_relaxed); }

Result<ZoneOwned<Proc>> forkproc(Proc& parent, ProcSlot slot) {
    ZoneOwned<Proc> child = TRY(make_numbered());
    child->slot = std::move(slot);
    child->unique_id = next_unique_id();
    child->id_version = next_id_version();

    child->stats = TRY(zone_new<ProcStats>({}));
    child->stats->start = machine_clock::now();
    child->files = TRY(parent.files->clone());
    ZoneOwned<SignalActions> actions = TRY(clone_actions(parent));
    Lineage lineage = lineage_of(parent);

    // Two locks of one rank are never held together: the parent's are free again.
    child->inherited = lineage.inherited;
    {
        SpinGuard guard(child->lock);
        child->credentials = std::move(lineage.credentials);
        child->limits = std::move(lineage.limits);
        child->directory = std::move(lineage.directory);
        child->program = std::move(lineage.program);
    }
    {
        SpinGuard guard(child->signals.lock);
        child->signals.actions = std::move(actions);
    }
    return child;
}

void publish(Proc& parent, Proc& child) {
    SpinGuard guard(families_lock);
    proc_transition(child, ProcState::Running);
    join_group_locked(*parent.group, child);
    family_enter_locked(child, parent);
    forks.fetch_add(1, std::memory_order_relaxed);
    pass_kill_on(parent, child);
}

Result<Pid> fork1(UserFrame& frame, const ForkOptions& options) {
    ASSERT(options.kind == ProcKind::Fork);
    Proc& parent = current_proc();
    TRY(fork_policy_check(parent));
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    // The thread's task: a process that runs on a loan has none of its own.
    ZoneOwned<Task> task = TRY(make_task(cpu::current_thread()->task->space->clone(copy_mode), *child));
    ChildThread thread = TRY(clone_thread(*child, frame));
    return launch(parent, std::move(child), std::move(task), std::move(thread));
}

Result<Pid> cloneproc_init(void (*entry)(void*), void* argument) {
    Proc& parent = kernel_proc();
    const Lineage lineage = lineage_of(parent);
    ProcSlot slot = TRY(ProcSlot::reserve(*lineage.credentials, lineage.limits->current(FL_RLIMIT_NPROC)));
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    ZoneOwned<Task> task = TRY(make_task(AddressSpace::create(), *child));
    ChildThread thread = TRY(make_thread("init", *child, nullptr));
    thread_set_entry(*thread.thread, entry, argument);
    return launch(parent, std::move(child), std::move(task), std::move(thread));
}

Result<uint64_t> sys_fork(UserFrame& frame) {
    Pid pid = TRY(fork1(frame, {.kind = ProcKind::Fork}));
    frame.x[1] = 0;
    return static_cast<uint64_t>(number(pid));
}
