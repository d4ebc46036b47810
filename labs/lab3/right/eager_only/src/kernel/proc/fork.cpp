// fork in few functions: the steps are written out where they happen.
#include "kernel/proc/fork.h"

#include <atomic>

#include "base/failpoint.h"
#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "machine/clock.h"

namespace {
CopyMode mode_of_fork = CopyMode::CopyOnWrite;
ForkPolicy the_policy = nullptr;
std::atomic<uint64_t> successes{0};
}  // namespace

void set_fork_copy_mode(CopyMode mode) { mode_of_fork = mode; }
CopyMode fork_copy_mode() { return mode_of_fork; }
void set_fork_policy(ForkPolicy policy) { the_policy = policy; }
Result<> fork_policy_check(Proc& parent) { return the_policy == nullptr ? Result<>() : the_policy(parent); }
uint64_t forks_ever() { return successes.load(); }

Result<ZoneOwned<Proc>> forkproc(Proc& parent, ProcSlot slot) NO_THREAD_SAFETY_ANALYSIS {
    // What needs no number first.
    auto files = TRY(parent.files->clone());
    auto actions = TRY(zone_new<SignalActions>({}));
    auto stats = TRY(zone_new<ProcStats>({}));
    const Pid pid = TRY(pid_allocate());
    Result<ZoneOwned<Proc>> made = zone_new<Proc>({}, pid);
    if (!made.ok()) {
        pid_release(pid, PidUse::Process);
        return made.error();
    }
    ZoneOwned<Proc> child = std::move(made).value();
    child->slot = std::move(slot);
    child->unique_id = next_unique_id();
    child->id_version = next_id_version();
    child->inherited = parent.inherited;
    UThread* caller = cpu::current_thread()->uthread;
    {
        SpinGuard guard(parent.lock);
        child->credentials = parent.credentials;
        child->limits = parent.limits;
        child->directory = parent.directory;
        child->program = parent.program;
    }
    if (caller != nullptr && caller->assumed) {
        child->credentials = caller->assumed;
    }
    if (caller != nullptr && caller->directory) {
        child->directory = caller->directory;
    }
    {
        SpinGuard guard(parent.signals.lock);
        for (int signal = 0; signal < FORKLORE_NSIG; ++signal) {
            actions->actions[signal] = parent.signals.actions->actions[signal];
        }
    }
    child->signals.actions = std::move(actions);
    child->files = std::move(files);
    stats->start = machine_clock::now();
    child->stats = std::move(stats);
    return child;
}

void publish(Proc& parent, Proc& child) {
    SpinGuard guard(families_lock);
    family_enter_locked(child, parent);
    join_group_locked(*parent.group, child);
    proc_transition(child, ProcState::Running);
    ++successes;
    bool killed;
    {
        SpinGuard signals(parent.signals.lock);
        killed = parent.signals.pending & signal_bit(FL_SIGKILL);
    }
    if (killed) {
        signal_process(child, {.signal = FL_SIGKILL});
    }
}

Result<Pid> fork1(UserFrame& frame, const ForkOptions& options) {
    if (options.kind != ProcKind::Fork) {
        panic("fork1 makes children by fork alone");
    }
    Thread& caller = *cpu::current_thread();
    Proc& parent = current_proc();
    TRY(fork_policy_check(parent));
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    ZoneOwned<Thread> thread = TRY(thread_create(parent.inherited.name));
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    ZoneOwned<UThread> uthread = TRY(uthread_alloc(*thread, *child, caller.uthread));
    Ref<AddressSpace> memory = TRY(caller.task->space->clone(mode_of_fork));
    ZoneOwned<Task> task = TRY(zone_new<Task>({}, std::move(memory), child.get()));

    thread->thread_pointer = cpu::user_thread_pointer();
    fp_sync();
    thread->uses_fp = caller.uses_fp;
    thread->fp = caller.fp;
    thread_set_nice(*thread, parent.inherited.nice);
    thread->user_frame() = frame;
    thread->user_frame().x[0] = 0;
    thread->user_frame().x[1] = 1;
    thread_set_user_entry(*thread);
    thread->uthread = uthread.release();
    task->add(*thread);
    child->task = std::move(task);
    const Pid pid = child->pid;
    publish(parent, *child.release());
    thread_start(std::move(thread));
    return pid;
}

Result<Pid> cloneproc_init(void (*entry)(void*), void* argument) NO_THREAD_SAFETY_ANALYSIS {
    Proc& kernel = kernel_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*kernel.credentials, FL_RLIM_INFINITY));
    ZoneOwned<Proc> child = TRY(forkproc(kernel, std::move(slot)));
    ZoneOwned<Thread> thread = TRY(thread_create("init"));
    ZoneOwned<UThread> uthread = TRY(uthread_alloc(*thread, *child, nullptr));
    Ref<AddressSpace> memory = TRY(AddressSpace::create());
    ZoneOwned<Task> task = TRY(zone_new<Task>({}, std::move(memory), child.get()));
    thread_set_entry(*thread, entry, argument);
    thread->uthread = uthread.release();
    task->add(*thread);
    child->task = std::move(task);
    const Pid pid = child->pid;
    publish(kernel, *child.release());
    thread_start(std::move(thread));
    return pid;
}

Result<uint64_t> sys_fork(UserFrame& frame) {
    const Pid pid = TRY(fork1(frame, {}));
    frame.x[1] = 0;
    return static_cast<uint64_t>(number(pid));
}
