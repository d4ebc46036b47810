// Processes on the host. See process.h.
#include "process.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "kernel/fs/root.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/vfork.h"

// kernel/fs/upward.h: as random as a test can use.
void random_fill(void* output, size_t bytes) { memset(output, 0x5a, bytes); }

namespace host {
namespace {

Proc* the_init = nullptr;
Thread* the_init_thread = nullptr;
void* volatile the_init_stack = nullptr;    // read by the leak checker alone, which does not look into the arena

// The numbers that the kernel's process and init have for ever.
void take_first_pids(int32_t pid_max) {
    pid_init(pid_max).value();
    if (the_init != nullptr) {
        pid_take(Pid::Kernel, PidUse::Group);
        pid_take(Pid::Kernel, PidUse::Session);
        const Pid first = pid_allocate().value();
        ASSERT(first == Pid::Init);
    }
}

// Any process but init; none is left: nullptr.
Proc* some_process() {
    SpinGuard guard(families_lock);
    for (Proc& proc : all_processes()) {
        if (proc.pid != Pid::Init && proc.state != ProcState::Zombie) {
            return &proc;
        }
    }
    return nullptr;
}

unsigned thread_count(Proc& proc) {
    SpinGuard guard(proc.task->lock);
    return proc.task->thread_count;
}

}  // namespace

void start_processes(int32_t pid_max) {
    take_first_pids(pid_max);
    file_system_init({}).value();
    if (the_init == nullptr) {
        proc_init().value();
        if (!cloneproc_init([](void*) {}, nullptr).ok()) {
            panic("cloneproc_init makes no first process");
        }
        if (started.empty()) {
            panic("cloneproc_init does not start the first process's thread");
        }
        the_init_thread = &take_started();
        the_init_stack = reinterpret_cast<void*>(the_init_thread->stack.bottom().value);
        the_init = find_process(Pid::Init);
        if (the_init == nullptr) {
            panic("the first process can not be found under the number 1");
        }
    }
}

void end_processes() {
    set_fork_policy(nullptr);
    set_fork_copy_mode(CopyMode::CopyOnWrite);
    while (Proc* proc = some_process()) {
        end(*proc, status_of_exit(0));
    }
    while (collect(*the_init, static_cast<Pid>(-1)).value_or(0) != 0) {
    }
    the_init_thread->done(ReturnWork::Signal);
    {
        SpinGuard guard(the_init->signals.lock);
        the_init->signals.pending = 0;
    }
    started.clear();
    file_system_destroy();
}

Proc& init() { return *the_init; }

Proc* find_process(Pid pid) {
    SpinGuard guard(families_lock);
    return find_process_locked(pid);
}

Thread& thread_of(Proc& proc, unsigned index) {
    if (proc.lent_thread != nullptr) {
        return *proc.lent_thread;
    }
    SpinGuard guard(proc.task->lock);
    Thread* thread = proc.task->threads.first();
    while (index-- > 0) {
        thread = proc.task->threads.after(*thread);
    }
    ASSERT(thread != nullptr);
    return *thread;
}

Thread& take_started() {
    ASSERT(!started.empty());
    Thread& thread = *started.back();
    started.pop_back();
    return thread;
}

void free_ended(Thread& thread) {
    ASSERT(thread.task == nullptr && thread.uthread == nullptr);
    std::erase(started, &thread);
    ZoneDelete<Thread>{}(thread);
}

void end(Proc& proc, int wait_status) {
    if (proc.lent_thread != nullptr) {
        Acting acting(*proc.lent_thread);
        UserFrame frame{};
        vfork_exit(frame, wait_status);
        return;
    }
    for (unsigned count = thread_count(proc); count-- > 0;) {
        Thread& thread = thread_of(proc, count);
        if (thread.uthread->loan) {
            end(thread.uthread->loan->child(), wait_status);
        }
        bool ended = ends_in(thread, [&] {
            if (count == 0) {
                exit1(wait_status);
            }
            thread_terminate();
        });
        ASSERT(ended);
    }
}

Result<uint64_t> collect(Proc& parent, Pid pid) {
    Acting acting(parent);
    UserFrame frame{};
    frame.x[0] = static_cast<uint64_t>(number(pid));
    frame.x[2] = FL_WNOHANG;
    return sys_wait4(frame);
}

}  // namespace host
