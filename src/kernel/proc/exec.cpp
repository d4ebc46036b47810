// exec: gather the new program, then one marked line, then nothing fails.
#include "kernel/proc/exec.h"

#include "kernel/proc/audit.h"
#include "kernel/proc/events.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/program.h"
#include "kernel/proc/user_path.h"
#include "kernel/proc/vfork.h"
#include "kernel/sched.h"

namespace {

// The child leaves the loan for a body of its own; the lender returns from vfork.
void start_own_body(UserFrame& frame, Proc& child, Body body, const NewProgram& program) {
    Thread& thread = join_body(body, program);
    {
        SpinGuard guard(child.signals.lock);
        child.task = std::move(body.task);
        thread_set_nice(thread, child.inherited.nice);  // setpriority, which takes the lock too, did not find it before
    }
    vfork_return(frame);
    proc_event(ProcEvent::Return, child.pid, child.pid);
    thread.ask(ReturnWork::Signal);     // what came for the child meanwhile
    thread_start(thread);
}

void replace_memory(UserFrame& frame, Proc& proc, NewProgram& program) {
    Thread& thread = *cpu::current_thread();
    fp_discard();
    cpu::set_user_thread_pointer(0);
    {
        SpinGuard guard(proc.signals.lock);     // whoever lists processes looks at the space under it
        proc.stats->address_space_goes(*thread.task->space);
        std::swap(thread.task->space, program.space);
        thread.task->space->activate();
        proc.last_thread = nullptr;
    }
    memcpy(thread.name, program.name, sizeof program.name);
    start_registers(frame, program);
}

void tell_of_exec(Proc& proc) {
    {
        SpinGuard guard(families_lock);
        tell_watchers_locked(proc, FL_NOTE_EXEC, 0);
        audit::event(FL_AUDIT_EXEC, proc);
    }
    proc_event(ProcEvent::Exec, proc.pid, proc.pid);
}

Result<> run(UserFrame& frame, NewProgram& program, const ProgramUser& user, const ArgumentBuffer& arguments) {
    Proc& proc = current_proc();
    UThread& uthread = current_uthread();
    TRY(load_program(program, user, arguments));
    Body body;
    if (uthread.loan) {
        body = TRY(make_body(proc, program));
    } else {
        TRY(become_only_thread());
    }

    // The point of no return. Nothing below this line can fail.
    become_program(proc, program);
    tell_of_exec(proc);
    if (uthread.loan) {
        start_own_body(frame, proc, std::move(body), program);
        return {};
    }
    uthread.alternate = no_signal_stack;
    replace_memory(frame, proc, program);
    return {};
}

}  // namespace

Result<> exec(UserFrame& frame, std::string_view path, UserAddr argv, UserAddr envp) {
    NewProgram program;
    ArgumentBuffer arguments;
    ProgramUser user = ProgramUser::current();
    TRY(find_program(program, user, path, argv, envp, arguments));
    return run(frame, program, user, arguments);
}

Result<> exec_first(UserFrame& frame, const char* path) {
    NewProgram program;
    ArgumentBuffer arguments;
    ProgramUser user = ProgramUser::current();
    TRY(find_first_program(program, user, path, arguments));
    return run(frame, program, user, arguments);
}

Result<uint64_t> sys_execve(UserFrame& frame) {
    UserPath path;
    TRY(path.load(frame.x[0]));
    TRY(exec(frame, path.text(), UserAddr(frame.x[1]), UserAddr(frame.x[2])));
    return frame.x[0];
}
