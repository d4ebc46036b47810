// The end of a process, step by step: alone, without holdings, without a task, a zombie.
#include "kernel/proc/exit.h"

#include "base/failpoint.h"
#include "kernel/fs/terminal.h"
#include "kernel/proc/audit.h"
#include "kernel/proc/events.h"
#include "kernel/proc/family.h"
#include "kernel/proc/signal_tell.h"
#include "kernel/proc/vfork.h"
#include "kernel/sched.h"

ForkloreSiginfo siginfo_of_child(Pid pid, int wait_status) {
    ForkloreSiginfo info{.signal = FL_SIGCHLD, .code = 0, .pid = number(pid)};
    if (wait_status == status_of_continue) {
        info.code = FL_CLD_CONTINUED;
        info.status = FL_SIGCONT;
    } else if ((wait_status & 0x7f) == 0x7f) {
        info.code = FL_CLD_STOPPED;
        info.status = wait_status >> 8;
    } else if ((wait_status & 0x7f) != 0) {
        info.code = FL_CLD_KILLED;
        info.status = wait_status & 0x7f;
    } else {
        info.code = FL_CLD_EXITED;
        info.status = wait_status >> 8;
    }
    return info;
}

namespace {

void ask_others_to_end(Task& task, const Thread& self) {
    SpinGuard guard(task.lock);
    for (Thread& thread : task.threads) {
        if (&thread != &self) {
            thread.ask(ReturnWork::Terminate);
            thread_poke(thread);
        }
    }
}

unsigned thread_count(Task& task) {
    SpinGuard guard(task.lock);
    return task.thread_count;
}

}  // namespace

Result<> become_only_thread() {
    Proc& proc = current_proc();
    Thread& self = *cpu::current_thread();
    if (failpoint::should_fail()) {
        return Error::Interrupted;
    }
    SpinGuard guard(proc.signals.lock);
    if (proc.last_thread != nullptr && proc.last_thread != &self) {
        return Error::Interrupted;
    }
    proc.last_thread = &self;
    ask_others_to_end(*proc.task, self);        // once: sys_thread_create makes none from here on
    while (thread_count(*proc.task) != 1) {
        park(proc.threads_changed, proc.signals.lock);
    }
    return {};
}

namespace {

// What the thread did counts for its process from now on.
void add_usage(Proc& proc, const Thread& thread) {
    Nanoseconds user = 0, system = 0;
    thread_times(thread, user, system);
    ProcStats& stats = *proc.stats;
    stats.user += user;
    stats.system += system;
    stats.voluntary_switches += thread.voluntary_switches;
    stats.involuntary_switches += thread.involuntary_switches;
    stats.minor_faults += thread.minor_faults;
}

// The current thread leaves its program's memory and then its process, in this order: whoever finds itself alone in the
// task may end the memory at once. What the thread was told of, others can take.
void leave_task_locked(Proc& proc, Thread& thread) REQUIRES(proc.signals.lock) {
    add_usage(proc, thread);
    AddressSpace::activate_none();
    proc.task->remove(thread);
    tell_again_locked(proc);
    wake_all(proc.threads_changed);
}

}  // namespace

void thread_terminate() {
    Thread& thread = *cpu::current_thread();
    uthread_cleanup(*thread.uthread);
    Proc& proc = current_proc();
    bool last = false;
    {
        SpinGuard guard(proc.signals.lock);
        last = thread_count(*proc.task) == 1;
        if (!last) {
            leave_task_locked(proc, thread);
        }
    }
    if (last) {
        exit1(status_of_exit(0));
    }
    ZoneDelete<UThread>{}(*std::exchange(thread.uthread, nullptr));
    thread_exit();
}

bool begin_exit(Proc& proc) {
    bool on_loan = false;
    {
        SpinGuard guard(families_lock);
        SpinGuard signals_guard(proc.signals.lock);
        if (proc.exiting) {
            return false;
        }
        on_loan = proc.lent_thread != nullptr;
        proc.exiting = true;
        proc.signals.stopped = false;
        proc_transition(proc, ProcState::Exiting);
    }
    for (IntervalTimer& timer : proc.interval_timers) {
        timer.end();
    }
    proc.cpu_limit.end();
    proc_event(ProcEvent::Exit, proc.pid, proc.pid);
    if (on_loan) {
        proc_event(ProcEvent::Return, proc.pid, proc.pid);
    }
    return true;
}

namespace {

// Files, directory, program, limits: closing may sleep, so no lock is held.
void release_holdings(Proc& proc) {
    proc.files.reset();
    Ref<Vnode> directory, program;
    {
        SpinGuard guard(proc.lock);
        std::swap(directory, proc.directory);
        std::swap(program, proc.program);
    }
}

// POSIX: the members of a group that becomes orphaned while one is stopped get SIGHUP and SIGCONT; those of a group that
// has long been orphaned do not. Kin is still as before the exit.
void hang_up_if_orphaned_locked(ProcessGroup& group, const Proc& leaving) REQUIRES(families_lock) {
    if (group.stopped_members != 0 && !group_orphaned_locked(group, nullptr) && group_orphaned_locked(group, &leaving)) {
        signal_group_locked(group, {.signal = FL_SIGHUP});
        signal_group_locked(group, {.signal = FL_SIGCONT});
    }
}

void give_children_to_init_locked(Proc& proc) REQUIRES(families_lock) {
    Proc* init = find_process_locked(Pid::Init);
    if (proc.children.empty()) {
        return;
    }
    if (init == nullptr || init == &proc) {
        panic("init ended with children alive");
    }
    for (Proc& child : proc.children) {
        if (child.group != proc.group) {
            hang_up_if_orphaned_locked(*child.group, proc);
        }
        proc.children.remove(child);
        init->children.push_back(child);
        set_parent_locked(child, init);
    }
    wake_all(init->children_changed);
    signal_process(*init, {.signal = FL_SIGCHLD});
}

// A session whose leader ends loses its terminal, and who is in the foreground there hears of it.
void leave_session_locked(Proc& proc) REQUIRES(families_lock) {
    Session& session = *proc.group->session;
    if (session.leader != &proc) {
        return;
    }
    session.leader = nullptr;
    if (Terminal* terminal = std::exchange(session.terminal, nullptr)) {
        Pid foreground = terminal->foreground_group();
        terminal->leave_session(session.id);
        signal_foreground_group_locked(session.id, foreground, FL_SIGHUP);
    }
}

bool ignores_children(Proc& parent) {
    SpinGuard guard(parent.signals.lock);
    return parent.signals.actions && parent.signals.actions->actions[FL_SIGCHLD].handler == FL_SIG_IGN;
}

}  // namespace

void become_zombie(Proc& proc, int wait_status) {
    release_holdings(proc);
    SpinGuard guard(families_lock);
    give_children_to_init_locked(proc);
    leave_session_locked(proc);
    hang_up_if_orphaned_locked(*proc.group, proc);
    Proc* parent = proc.parent;
    if (ignores_children(*parent) && parent->pid != Pid::Init) {    // nobody will wait: init collects it
        parent->children.remove(proc);
        wake_all(parent->children_changed);
        parent = find_process_locked(Pid::Init);
        parent->children.push_back(proc);
        set_parent_locked(proc, parent);
    }
    proc.wait_status = wait_status;
    proc_transition(proc, ProcState::Zombie);
    tell_watchers_locked(proc, FL_NOTE_EXIT, wait_status);
    audit::event(FL_AUDIT_EXIT, proc, 0, wait_status);
    signal_process(*parent, siginfo_of_child(proc.pid, wait_status));
    wake_all(parent->children_changed);
}

void exit1(int wait_status) {
    Thread& thread = *cpu::current_thread();
    Proc& proc = current_proc();
    if (!become_only_thread().ok()) {
        thread_terminate();
    }
    if (proc.pid == Pid::Init) {
        panic("init ended; its wait status", static_cast<uint64_t>(wait_status));
    }
    begin_exit(proc);
    release_holdings(proc);
    uthread_cleanup(*thread.uthread);
    ZoneOwned<Task> task;
    {
        SpinGuard guard(proc.signals.lock);
        proc.stats->address_space_goes(*proc.task->space);
        leave_task_locked(proc, thread);
        task = std::move(proc.task);
    }
    ZoneDelete<UThread>{}(*std::exchange(thread.uthread, nullptr));
    task.reset();
    if (proc.ended_for_memory) {
        pages::flush_cache();               // who waits for them may run on another core
    }
    become_zombie(proc, wait_status);       // from here the parent may reap it: proc is not ours any more
    thread_exit();
}

Result<uint64_t> sys_exit(UserFrame& frame) {
    int status = status_of_exit(static_cast<int>(frame.x[0]));
    if (current_uthread().loan) {
        vfork_exit(frame, status);
        return frame.x[0];
    }
    exit1(status);
}
