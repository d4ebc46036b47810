// exec: gather the new program, then one marked line, then nothing fails.
#include "kernel/proc/exec.h"

#include "kernel/fs/path.h"
#include "kernel/fs/root.h"
#include "kernel/proc/arguments.h"
#include "kernel/proc/elf.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/events.h"
#include "kernel/proc/family.h"
#include "kernel/proc/vfork.h"
#include "kernel/sched.h"
#include "mm/user_copy.h"

namespace {

constexpr unsigned deepest_script = 4;          // a script's interpreter may be a script
constexpr size_t longest_script_line = 256;     // of "#!interpreter argument"

// Everything that the new program needs, made while the old one is whole. Each member gives itself back.
struct NewProgram {
    Ref<AddressSpace> space;
    Ref<Vnode> file;
    Ref<Credentials> credentials;   // none: unchanged
    ProgramImage image;
    UserAddr stack_pointer;
    char name[32] = {};
};

// Only while the thread is on loan: the child gets these.
struct OwnBody {
    ZoneOwned<Task> task;
    ZoneOwned<Thread> thread;
    ZoneOwned<UThread> uthread;
};

Result<Ref<Vnode>> open_program(std::string_view path) {
    Ref<Credentials> credentials = current_credentials();
    Identity who{credentials->effective_uid, credentials->effective_gid};
    Ref<Vnode> directory = current_directory();
    Ref<Vnode> file = TRY(walk({root_directory(), *directory, who}, path));
    if (!file->is_file()) {
        return Error::AccessDenied;
    }
    TRY(file->check_access(who, may_execute));
    return file;
}

void name_after(NewProgram& program, std::string_view path) {
    size_t slash = path.rfind('/');
    std::string_view base = slash == path.npos ? path : path.substr(slash + 1);
    size_t length = base.size() < sizeof program.name - 1 ? base.size() : sizeof program.name - 1;
    memcpy(program.name, base.data(), length);
}

// "#!interpreter argument": the parts of a script's first line, which point into `line`.
struct ScriptLine {
    std::string_view interpreter, argument;
};
Result<ScriptLine> parse_script_line(std::string_view line) {
    size_t newline = line.find('\n');
    if (newline == line.npos) {
        return Error::NotExecutable;
    }
    line = line.substr(2, newline - 2);
    auto trim = [](std::string_view text) {
        while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
            text.remove_prefix(1);
        }
        while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
            text.remove_suffix(1);
        }
        return text;
    };
    line = trim(line);
    size_t space = line.find_first_of(" \t");
    ScriptLine parts{line.substr(0, space), space == line.npos ? std::string_view{} : trim(line.substr(space))};
    if (parts.interpreter.empty()) {
        return Error::NotExecutable;
    }
    return parts;
}

// The identity that the file's set-id bits give; none if they change nothing.
Result<Ref<Credentials>> credentials_of_program(Vnode& file) {
    Ref<Credentials> old = current_credentials();
    bool changes = (file.set_user_id() && file.uid() != old->effective_uid) ||
                   (file.set_group_id() && file.gid() != old->effective_gid);
    if (!changes) {
        return Ref<Credentials>{};
    }
    Ref<Credentials> fresh = TRY(old->copy());
    if (file.set_user_id()) {
        fresh->effective_uid = fresh->saved_uid = file.uid();
    }
    if (file.set_group_id()) {
        fresh->effective_gid = fresh->saved_gid = file.gid();
    }
    return fresh;
}

// Follows scripts to a program, adding to argv what they put in front; the caller's argv[0] is replaced by the script's path.
// True if argv[0] has been taken care of.
Result<bool> resolve(NewProgram& program, std::string_view path, ArgumentBuffer& arguments, unsigned depth = 0) {
    Ref<Vnode> file = TRY(open_program(path));
    char line[longest_script_line];
    size_t length = TRY(file->read_kernel(0, line, sizeof line));
    if (length < 2 || line[0] != '#' || line[1] != '!') {
        program.file = std::move(file);
        return false;
    }
    if (depth == deepest_script) {
        return Error::NotExecutable;
    }
    ScriptLine script = TRY(parse_script_line({line, length}));
    TRY(resolve(program, script.interpreter, arguments, depth + 1));
    TRY(arguments.add(script.interpreter));
    if (!script.argument.empty()) {
        TRY(arguments.add(script.argument));
    }
    return true;
}

Result<> load(NewProgram& program, const ArgumentBuffer& arguments) {
    program.credentials = TRY(credentials_of_program(*program.file));
    program.space = TRY(AddressSpace::create());
    program.space->set_limits({.total = current_limit(FL_RLIMIT_AS),
                               .data = current_limit(FL_RLIMIT_DATA),
                               .stack = current_limit(FL_RLIMIT_STACK)});
    program.image = TRY(elf_load(*program.file, *program.space));
    program.space->set_heap(program.image.heap);
    TRY(program.space->map_stack(AddressSpace::stack_top));
    program.stack_pointer = TRY(arguments.write_stack(*program.space, program.image));
    return {};
}

Result<OwnBody> make_own_body(Proc& child, const Ref<AddressSpace>& space, const char* name) {
    OwnBody body;
    body.task = TRY(zone_new<Task>({.wait = false}, space, &child));
    body.thread = TRY(thread_create(name));
    body.uthread = TRY(uthread_alloc(*body.thread, child, &current_uthread()));
    thread_set_nice(*body.thread, child.inherited.nice);
    return body;
}

void start_registers(UserFrame& frame, const NewProgram& program) {
    frame = UserFrame{};
    frame.sp = program.stack_pointer.value;
    frame.pc = program.image.entry.value;
    frame.pstate = user_pstate;
}

// The process becomes the new program in all but memory and thread.
void change_identity(Proc& proc, NewProgram& program) {
    proc.files->close_for_exec();
    signal_actions_for_exec(proc);
    bool set_id = static_cast<bool>(program.credentials);
    {
        SpinGuard guard(proc.lock);
        memcpy(proc.inherited.name, program.name, sizeof program.name);
        proc.inherited.executable_set_id = set_id;
        std::swap(proc.program, program.file);          // the old ones are dropped with `program`
        if (set_id) {
            std::swap(proc.credentials, program.credentials);
        }
    }
    proc.id_version = next_id_version();
    {
        SpinGuard guard(families_lock);
        proc.has_execed = true;
    }
    proc_event(ProcEvent::Exec, proc.pid, proc.pid);
}

// The child leaves the loan for a body of its own; the lender returns from vfork.
void start_own_body(UserFrame& frame, Proc& child, OwnBody body, const NewProgram& program) {
    Thread& thread = *body.thread.release();
    thread.uthread = body.uthread.release();
    body.task->add(thread);
    start_registers(thread.user_frame(), program);
    thread_set_user_entry(thread);
    {
        SpinGuard guard(child.signals.lock);
        child.task = std::move(body.task);
    }
    vfork_return(frame);
    thread.ask(ReturnWork::Signal);     // what came for the child meanwhile
    thread_start(thread);
}

void replace_memory(UserFrame& frame, NewProgram& program) {
    Thread& thread = *cpu::current_thread();
    fp_discard();
    cpu::set_user_thread_pointer(0);
    {
        InterruptGuard guard;
        std::swap(thread.task->space, program.space);
        thread.task->space->activate();
    }
    memcpy(thread.name, program.name, sizeof program.name);
    start_registers(frame, program);
}

Result<> run(UserFrame& frame, NewProgram& program, const ArgumentBuffer& arguments) {
    Proc& proc = current_proc();
    UThread& uthread = current_uthread();
    TRY(load(program, arguments));
    OwnBody body;
    if (uthread.loan) {
        body = TRY(make_own_body(proc, program.space, program.name));
    } else {
        TRY(become_only_thread());
    }

    // The point of no return. Nothing below this line can fail.
    change_identity(proc, program);
    if (uthread.loan) {
        start_own_body(frame, proc, std::move(body), program);
        return {};
    }
    replace_memory(frame, program);
    SpinGuard guard(proc.signals.lock);
    proc.last_thread = nullptr;
    return {};
}

}  // namespace

Result<> exec(UserFrame& frame, std::string_view path, UserAddr argv, UserAddr envp) {
    NewProgram program;
    ArgumentBuffer arguments;
    name_after(program, path);
    if (TRY(resolve(program, path, arguments))) {
        TRY(arguments.add(path));       // a script: its path stands for the caller's argv[0]
        argv = argv.null() ? argv : argv + sizeof(uint64_t);
    }
    TRY(arguments.add_array_from_program(argv));
    arguments.arguments_end();
    TRY(arguments.add_array_from_program(envp));
    return run(frame, program, arguments);
}

Result<> exec_first(UserFrame& frame, const char* path) {
    NewProgram program;
    ArgumentBuffer arguments;
    name_after(program, path);
    TRY(resolve(program, path, arguments));
    TRY(arguments.add(path));
    arguments.arguments_end();
    TRY(arguments.add("PATH=/bin:/usr/bin"));
    TRY(arguments.add("HOME=/root"));
    TRY(arguments.add("TERM=xterm"));
    return run(frame, program, arguments);
}

Result<uint64_t> sys_execve(UserFrame& frame) {
    char path[FORKLORE_PATH_MAX];
    size_t length = TRY(copy_in_string(path, UserAddr(frame.x[0]), sizeof path));
    TRY(exec(frame, {path, length}, UserAddr(frame.x[1]), UserAddr(frame.x[2])));
    return frame.x[0];
}
