// A birth is one object that gathers the parts; what it holds when it dies goes with it.
#include "kernel/proc/fork.h"

#include "base/failpoint.h"
#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "machine/clock.h"

namespace {

CopyMode the_mode = CopyMode::CopyOnWrite;
ForkPolicy the_policy = nullptr;
uint64_t born GUARDED_BY(families_lock) = 0;

class Birth {
public:
    explicit Birth(Proc& parent) : parent_(parent) {}

    Result<> reserve(const Credentials& credentials, uint64_t limit) {
        slot_ = TRY(ProcSlot::reserve(credentials, limit));
        return {};
    }
    // The thread comes before the process that it will belong to.
    Result<> gather(const char* name, Ref<AddressSpace> space, const UThread* caller) {
        thread_ = TRY(thread_create(name));
        proc_ = TRY(forkproc(parent_, std::move(slot_)));
        task_ = TRY(zone_new<Task>({.wait = false}, std::move(space), proc_.get()));
        uthread_ = TRY(uthread_alloc(*thread_, *proc_, caller));
        return {};
    }
    Thread& thread() { return *thread_; }
    Proc& proc() { return *proc_; }
    Pid finish() {
        const Pid pid = proc_->pid;
        Thread& thread = *thread_.release();
        thread.uthread = uthread_.release();
        task_->add(thread);
        proc_->task = std::move(task_);
        publish(parent_, *proc_.release());
        thread_start(thread);
        return pid;
    }

private:
    Proc& parent_;
    ProcSlot slot_;
    ZoneOwned<Proc> proc_;
    ZoneOwned<Task> task_;
    ZoneOwned<Thread> thread_;
    ZoneOwned<UThread> uthread_;
};

class Number {
public:
    explicit Number(Pid pid) : pid_(pid) {}
    Number(const Number&) = delete;
    ~Number() {
        if (pid_ != Pid::None) {
            pid_release(pid_, PidUse::Process);
        }
    }
    Pid get() const { return pid_; }
    void hand_over() { pid_ = Pid::None; }

private:
    Pid pid_;
};

}  // namespace

void set_fork_copy_mode(CopyMode mode) { the_mode = mode; }
CopyMode fork_copy_mode() { return the_mode; }
void set_fork_policy(ForkPolicy policy) { the_policy = policy; }
Result<> fork_policy_check(Proc& parent) {
    if (the_policy != nullptr) {
        return the_policy(parent);
    }
    return {};
}
uint64_t forks_ever() {
    SpinGuard guard(families_lock);
    return born;
}

Result<ZoneOwned<Proc>> forkproc(Proc& parent, ProcSlot slot) NO_THREAD_SAFETY_ANALYSIS {
    Number number(TRY(pid_allocate()));
    ZoneOwned<Proc> child = TRY(zone_new<Proc>({.wait = false}, number.get()));
    number.hand_over();
    child->signals.actions = TRY(zone_new<SignalActions>({.wait = false}));
    child->files = TRY(parent.files->clone());
    child->stats = TRY(zone_new<ProcStats>({.wait = false}));
    child->stats->start = machine_clock::now();
    child->slot = std::move(slot);
    child->unique_id = next_unique_id();
    child->id_version = next_id_version();
    child->inherited = parent.inherited;
    const UThread* thread = cpu::current_thread()->uthread;
    {
        SpinGuard guard(parent.signals.lock);
        *child->signals.actions = *parent.signals.actions;
    }
    SpinGuard guard(parent.lock);
    child->limits = parent.limits;
    child->program = parent.program;
    child->credentials = thread && thread->assumed ? thread->assumed : parent.credentials;
    child->directory = thread && thread->directory ? thread->directory : parent.directory;
    return child;
}

void publish(Proc& parent, Proc& child) {
    SpinGuard families(families_lock);
    ++born;
    join_group_locked(*parent.group, child);
    proc_transition(child, ProcState::Running);
    family_enter_locked(child, parent);
    SignalSet pending;
    {
        SpinGuard signals(parent.signals.lock);
        pending = parent.signals.pending;
    }
    if (pending & signal_bit(FL_SIGKILL)) {
        signal_process(child, {.signal = FL_SIGKILL});
    }
}

Result<Pid> fork1(UserFrame& frame, const ForkOptions& options) {
    ASSERT(options.kind == ProcKind::Fork);
    Thread& caller = *cpu::current_thread();
    Birth birth(current_proc());
    TRY(birth.reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    TRY(fork_policy_check(current_proc()));
    // The memory first: it is what fails when there is little.
    Ref<AddressSpace> space = TRY(caller.task->space->clone(the_mode));
    TRY(birth.gather(caller.name, std::move(space), caller.uthread));
    Thread& thread = birth.thread();
    UserFrame& its = thread.user_frame();
    its = frame;
    its.x[0] = 0;
    its.x[1] = 1;
    thread_set_user_entry(thread);
    thread_set_nice(thread, birth.proc().inherited.nice);
    thread.thread_pointer = cpu::user_thread_pointer();
    if (caller.uses_fp) {
        fp_sync();
        thread.fp = caller.fp;
        thread.uses_fp = true;
    }
    return birth.finish();
}

Result<Pid> cloneproc_init(void (*entry)(void*), void* argument) NO_THREAD_SAFETY_ANALYSIS {
    Birth birth(kernel_proc());
    TRY(birth.reserve(*kernel_proc().credentials, FL_RLIM_INFINITY));
    Ref<AddressSpace> space = TRY(AddressSpace::create());
    TRY(birth.gather("init", std::move(space), nullptr));
    thread_set_entry(birth.thread(), entry, argument);
    return birth.finish();
}

Result<uint64_t> sys_fork(UserFrame& frame) {
    Pid pid = TRY(fork1(frame, {.kind = ProcKind::Fork}));
    frame.x[1] = 0;
    return static_cast<uint64_t>(number(pid));
}
