// The reference solution of lab 3, with mm/page_table_copy.cpp.
//
// There is no function that undoes a half-made child: each step's owner does that when it goes out of scope.
#include "kernel/proc/fork.h"

#include <atomic>

#include "base/failpoint.h"
#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "machine/clock.h"

namespace {

CopyMode copy_mode = CopyMode::CopyOnWrite;
ForkPolicy policy = nullptr;
std::atomic<uint64_t> forks{0};

// The identity that a child starts with: the calling thread's own if it took one.
Ref<Credentials> credentials_for_child(Proc& parent) {
    UThread* caller = cpu::current_thread()->uthread;
    if (caller != nullptr && caller->assumed) {
        return caller->assumed;
    }
    SpinGuard guard(parent.lock);
    return parent.credentials;
}

Ref<Vnode> directory_for_child(Proc& parent) {
    UThread* caller = cpu::current_thread()->uthread;
    if (caller != nullptr && caller->directory) {
        return caller->directory;
    }
    SpinGuard guard(parent.lock);
    return parent.directory;
}

// The references and copies that every kind of child has from its parent. Without analysis: nobody else can see the
// child yet, so its locks would guard nothing.
Result<> inherit(Proc& child, Proc& parent) NO_THREAD_SAFETY_ANALYSIS {
    child.inherited = parent.inherited;
    child.credentials = credentials_for_child(parent);
    child.directory = directory_for_child(parent);
    {
        SpinGuard guard(parent.lock);
        child.limits = parent.limits;
        child.program = parent.program;
    }
    child.files = TRY(parent.files->clone());
    child.signals.actions = TRY(zone_new<SignalActions>({.wait = false}));
    SpinGuard guard(parent.signals.lock);
    *child.signals.actions = *parent.signals.actions;
    return {};
}

// A copy of the program that the current thread runs: its memory as of now.
Result<ZoneOwned<Task>> clone_task(Proc& child) {
    Ref<AddressSpace> space = TRY(cpu::current_thread()->task->space->clone(copy_mode));
    return zone_new<Task>({.wait = false}, std::move(space), &child);
}

// The one thread of the child, made from the calling one and not yet started.
struct ChildThread {
    ZoneOwned<Thread> thread;
    ZoneOwned<UThread> uthread;
};
Result<ChildThread> clone_thread(Proc& child) {
    Thread& caller = *cpu::current_thread();
    ChildThread made;
    made.thread = TRY(thread_create(child.inherited.name));
    made.uthread = TRY(uthread_alloc(*made.thread, child, caller.uthread));
    thread_set_nice(*made.thread, child.inherited.nice);
    made.thread->thread_pointer = cpu::user_thread_pointer();
    fp_sync();
    made.thread->uses_fp = caller.uses_fp;
    if (caller.uses_fp) {
        made.thread->fp = caller.fp;
    }
    return made;
}

// fork() returns 0 in the child; the second register tells it apart, as the original does.
void thread_set_child(Thread& thread, const UserFrame& parent_frame) {
    UserFrame& frame = thread.user_frame();
    frame = parent_frame;
    frame.x[0] = 0;
    frame.x[1] = 1;
    thread_set_user_entry(thread);
}

// Joins the parts; the thread waits to be started.
Thread& commit(Proc& child, ZoneOwned<Task> task, ChildThread made) {
    Thread& thread = *made.thread.release();
    thread.uthread = made.uthread.release();
    task->add(thread);
    child.task = std::move(task);
    return thread;
}

}  // namespace

void set_fork_copy_mode(CopyMode mode) { copy_mode = mode; }
CopyMode fork_copy_mode() { return copy_mode; }
void set_fork_policy(ForkPolicy new_policy) { policy = new_policy; }
uint64_t forks_ever() { return forks.load(std::memory_order_relaxed); }

Result<> fork_policy_check(Proc& parent) {
    if (failpoint::should_fail()) {
        return Error::NotPermitted;
    }
    if (policy == nullptr) {
        return {};
    }
    return policy(parent);
}

Result<ZoneOwned<Proc>> forkproc(Proc& parent, ProcSlot slot) {
    Pid pid = TRY(pid_allocate());
    ScopeGuard give_pid_back([pid] { pid_release(pid, PidUse::Process); });
    auto child = TRY(zone_new<Proc>({.wait = false}, pid));
    give_pid_back.release();    // it goes with the child from here
    child->stats = TRY(zone_new<ProcStats>({.wait = false}));
    TRY(inherit(*child, parent));
    child->slot = std::move(slot);
    child->unique_id = next_unique_id();
    child->id_version = next_id_version();
    child->stats->start = machine_clock::now();
    return child;
}

namespace {

bool is_killed(Proc& proc) {
    SpinGuard guard(proc.signals.lock);
    return (proc.signals.pending & signal_bit(FL_SIGKILL)) != 0;
}

}  // namespace

void publish(Proc& parent, Proc& child) {
    forks.fetch_add(1, std::memory_order_relaxed);
    SpinGuard guard(families_lock);
    proc_transition(child, ProcState::Running);
    join_group_locked(*parent.group, child);
    family_enter_locked(child, parent);
    // A kill of the whole group could not find the child before: who is killed leaves no child behind.
    if (is_killed(parent)) {
        signal_process(child, {.signal = FL_SIGKILL});
    }
}

Result<Pid> fork1(UserFrame& frame, const ForkOptions& options) {
    ASSERT(options.kind == ProcKind::Fork);
    Proc& parent = current_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(parent));
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    ZoneOwned<Task> task = TRY(clone_task(*child));
    ChildThread made = TRY(clone_thread(*child));

    // Commit. Nothing below this line can fail.
    Proc& proc = *child.release();
    Pid pid = proc.pid;
    Thread& thread = commit(proc, std::move(task), std::move(made));
    thread_set_child(thread, frame);
    publish(parent, proc);
    thread_start(thread);
    return pid;
}

Result<Pid> cloneproc_init(void (*entry)(void*), void* argument) {
    Proc& parent = kernel_proc();
    ProcSlot slot = TRY(ProcSlot::reserve(*credentials_for_child(parent), FL_RLIM_INFINITY));
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    Ref<AddressSpace> space = TRY(AddressSpace::create());
    auto task = TRY(zone_new<Task>({.wait = false}, std::move(space), child.get()));
    ChildThread made;
    made.thread = TRY(thread_create("init"));
    made.uthread = TRY(uthread_alloc(*made.thread, *child, nullptr));

    // Commit. Nothing below this line can fail.
    Proc& proc = *child.release();
    Thread& thread = commit(proc, std::move(task), std::move(made));
    thread_set_entry(thread, entry, argument);
    Pid pid = proc.pid;
    publish(parent, proc);
    thread_start(thread);
    return pid;
}

Result<uint64_t> sys_fork(UserFrame& frame) {
    Pid pid = TRY(fork1(frame, {.kind = ProcKind::Fork}));
    frame.x[1] = 0;
    return static_cast<uint64_t>(number(pid));
}
