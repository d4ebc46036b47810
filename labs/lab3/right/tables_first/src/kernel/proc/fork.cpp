// One function makes every child; fork and the first process differ in what they give it and in how its thread is prepared.
#include "kernel/proc/fork.h"

#include <atomic>

#include "base/failpoint.h"
#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "machine/clock.h"

namespace {

std::atomic<CopyMode> mode_now{CopyMode::CopyOnWrite};
std::atomic<ForkPolicy> policy_now{nullptr};
std::atomic<uint32_t> children_ever{0};

// Space, thread and Unix half, and at last the task, of a child that has only its identity so far. prepare(thread) sets the
// way that the thread will take, and can not fail.
template <typename Prepare>
Result<Pid> complete(Proc& parent, ZoneOwned<Proc> child, Ref<AddressSpace> space, const UThread* caller, Prepare prepare) {
    ZoneOwned<Thread> thread = TRY(thread_create(child->inherited.name));
    ZoneOwned<UThread> uthread = TRY(uthread_alloc(*thread, *child, caller));
    ZoneOwned<Task> task = TRY(zone_new<Task>({.wait = false}, std::move(space), child.get()));

    prepare(*thread);
    Thread& its = *thread.release();
    its.uthread = uthread.release();
    child->task = std::move(task);
    child->task->add(its);
    const Pid pid = child->pid;
    publish(parent, *child.release());
    thread_start(its);
    return pid;
}

// What the child has from the thread that calls, or from the process.
void take_from(Proc& child, Proc& parent, UThread* caller) NO_THREAD_SAFETY_ANALYSIS {
    Ref<Credentials> credentials;
    Ref<Vnode> directory;
    if (caller != nullptr) {
        credentials = caller->assumed;
        directory = caller->directory;
    }
    SpinGuard guard(parent.lock);
    child.credentials = credentials ? credentials : parent.credentials;
    child.directory = directory ? directory : parent.directory;
    child.program = parent.program;
    child.limits = parent.limits;
}

}  // namespace

void set_fork_copy_mode(CopyMode mode) { mode_now = mode; }
CopyMode fork_copy_mode() { return mode_now; }
void set_fork_policy(ForkPolicy policy) { policy_now = policy; }
uint64_t forks_ever() { return children_ever; }

Result<> fork_policy_check(Proc& parent) {
    if (failpoint::should_fail()) {
        return Error::NotPermitted;
    }
    ForkPolicy policy = policy_now;
    return policy == nullptr ? Result<>() : policy(parent);
}

Result<ZoneOwned<Proc>> forkproc(Proc& parent, ProcSlot slot) {
    ZoneOwned<ProcStats> stats = TRY(zone_new<ProcStats>({.wait = false}));
    ZoneOwned<SignalActions> actions = TRY(zone_new<SignalActions>({.wait = false}));
    {
        SpinGuard guard(parent.signals.lock);
        __builtin_memcpy(actions->actions, parent.signals.actions->actions, sizeof actions->actions);
    }
    ZoneOwned<FileTable> files = TRY(parent.files->clone());
    Pid pid = TRY(pid_allocate());
    bool lost = true;
    ScopeGuard unless_taken([&] {
        if (lost) {
            pid_release(pid, PidUse::Process);
        }
    });
    ZoneOwned<Proc> child = TRY(zone_new<Proc>({.wait = false}, pid));
    lost = false;
    take_from(*child, parent, cpu::current_thread()->uthread);
    child->inherited = parent.inherited;
    child->files = std::move(files);
    child->stats = std::move(stats);
    child->stats->start = machine_clock::now();
    child->slot = std::move(slot);
    child->id_version = next_id_version();
    child->unique_id = next_unique_id();
    SpinGuard guard(child->signals.lock);
    child->signals.actions = std::move(actions);
    return child;
}

void publish(Proc& parent, Proc& child) {
    SpinGuard families(families_lock);
    proc_transition(child, ProcState::Running);
    family_enter_locked(child, parent);
    join_group_locked(*parent.group, child);
    ++children_ever;
    bool killed;
    {
        SpinGuard guard(parent.signals.lock);
        killed = (parent.signals.pending & signal_bit(FL_SIGKILL)) != 0;
    }
    if (killed) {
        signal_process(child, {.signal = FL_SIGKILL});
    }
}

Result<Pid> fork1(UserFrame& frame, const ForkOptions& options) {
    ASSERT(options.kind == ProcKind::Fork);
    Thread& caller = *cpu::current_thread();
    Proc& parent = current_proc();
    TRY(fork_policy_check(parent));
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    Ref<AddressSpace> space = TRY(caller.task->space->clone(fork_copy_mode()));
    const int nice = child->inherited.nice;
    return complete(parent, std::move(child), std::move(space), caller.uthread, [&](Thread& thread) {
        UserFrame& its = thread.user_frame();
        its = frame;
        its.x[0] = 0;
        its.x[1] = 1;
        fp_sync();
        thread.fp = caller.fp;
        thread.uses_fp = caller.uses_fp;
        thread.thread_pointer = cpu::user_thread_pointer();
        thread_set_nice(thread, nice);
        thread_set_user_entry(thread);
    });
}

Result<Pid> cloneproc_init(void (*entry)(void*), void* argument) NO_THREAD_SAFETY_ANALYSIS {
    Proc& parent = kernel_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*parent.credentials, FL_RLIM_INFINITY));
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    Ref<AddressSpace> space = TRY(AddressSpace::create());
    return complete(parent, std::move(child), std::move(space), nullptr,
                    [&](Thread& thread) { thread_set_entry(thread, entry, argument); });
}

Result<uint64_t> sys_fork(UserFrame& frame) {
    Pid pid = TRY(fork1(frame, {.kind = ProcKind::Fork}));
    frame.x[1] = 0;
    return static_cast<uint64_t>(number(pid));
}
