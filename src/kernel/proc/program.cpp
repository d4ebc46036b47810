// A new program on its way: from a path to a stack. See program.h.
#include "kernel/proc/program.h"

#include "kernel/fs/path.h"
#include "kernel/fs/root.h"
#include "kernel/proc/elf.h"
#include "kernel/proc/family.h"
#include "kernel/sched.h"
#include "machine/trace.h"

ProgramUser ProgramUser::current() {
    ProgramUser user{current_credentials(), current_directory(), {}};
    Proc& proc = current_proc();
    SpinGuard guard(proc.lock);
    user.limits = proc.limits;
    return user;
}

namespace {

constexpr unsigned deepest_script = 4;          // a script's interpreter may be a script
constexpr size_t longest_script_line = 256;     // of "#!interpreter argument"

Result<Ref<Vnode>> open_program(const ProgramUser& user, std::string_view path) {
    Identity who = user.credentials->identity();
    Vnode& directory = user.directory ? *user.directory : root_directory();
    Ref<Vnode> file = TRY(walk({root_directory(), directory, who}, path));
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

// What `old` becomes in who runs the file: the effective ids are the owner's where a set-id bit says so, and the saved ids are
// the effective ones, so that nobody goes back to an identity that he gave up before. None if that changes nothing.
Result<Ref<Credentials>> credentials_of_program(Vnode& file, const Credentials& old) {
    const Uid uid = file.set_user_id() ? file.uid() : old.effective_uid;
    const Gid gid = file.set_group_id() ? file.gid() : old.effective_gid;
    if (uid == old.effective_uid && uid == old.saved_uid && gid == old.effective_gid && gid == old.saved_gid) {
        return Ref<Credentials>{};
    }
    Ref<Credentials> fresh = TRY(old.copy());
    fresh->effective_uid = fresh->saved_uid = uid;
    fresh->effective_gid = fresh->saved_gid = gid;
    return fresh;
}

// Follows scripts to a program, adding to argv what they put in front; the caller's argv[0] is replaced by the script's path.
// True if argv[0] has been taken care of.
Result<bool> resolve(NewProgram& program, const ProgramUser& user, std::string_view path, ArgumentBuffer& arguments,
                     unsigned depth = 0) {
    Ref<Vnode> file = TRY(open_program(user, path));
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
    TRY(resolve(program, user, script.interpreter, arguments, depth + 1));
    TRY(arguments.add(script.interpreter));
    if (!script.argument.empty()) {
        TRY(arguments.add(script.argument));
    }
    return true;
}

}  // namespace

Result<> find_program(NewProgram& program, const ProgramUser& user, std::string_view path, UserAddr argv, UserAddr envp,
                      ArgumentBuffer& arguments) {
    name_after(program, path);
    if (TRY(resolve(program, user, path, arguments))) {
        TRY(arguments.add(path));       // a script: its path stands for the caller's argv[0]
        argv = argv.null() ? argv : argv + sizeof(uint64_t);
    }
    TRY(arguments.add_array_from_program(argv));
    arguments.arguments_end();
    return arguments.add_array_from_program(envp);
}

Result<> find_first_program(NewProgram& program, const ProgramUser& user, std::string_view path, ArgumentBuffer& arguments) {
    name_after(program, path);
    TRY(resolve(program, user, path, arguments));
    TRY(arguments.add(path));
    arguments.arguments_end();
    TRY(arguments.add("PATH=/bin:/usr/bin"));
    TRY(arguments.add("HOME=/root"));
    return arguments.add("TERM=xterm");
}

Result<> load_program(NewProgram& program, const ProgramUser& user, const ArgumentBuffer& arguments) {
    program.credentials = TRY(credentials_of_program(*program.file, *user.credentials));
    program.set_id = program.file->set_user_id() || program.file->set_group_id();
    program.space = TRY(AddressSpace::create());
    program.space->set_limits(user.limits->for_memory());
    program.image = TRY(elf_load(*program.file, *program.space));
    program.space->set_heap(program.image.heap);
    TRY(program.space->map_stack(AddressSpace::stack_top));
    program.stack_pointer = TRY(arguments.write_stack(*program.space, program.image));
    return {};
}

Result<Body> make_body(Proc& proc, const NewProgram& program) {
    Body body;
    body.task = TRY(zone_new<Task>({.wait = false}, program.space, &proc));
    body.thread = TRY(thread_create(program.name));
    body.uthread = TRY(uthread_alloc(*body.thread, proc, &current_uthread()));
    body.uthread->alternate = no_signal_stack;
    thread_set_nice(*body.thread, proc.inherited.nice);
    return body;
}

void start_registers(UserFrame& frame, const NewProgram& program) {
    frame = UserFrame{};
    frame.sp = program.stack_pointer.value;
    frame.pc = program.image.entry.value;
    frame.pstate = user_pstate;
}

void become_program(Proc& proc, NewProgram& program) {
    proc.files->close_for_exec();
    signal_actions_for_exec(proc);
    {
        SpinGuard guard(proc.lock);
        memcpy(proc.inherited.name, program.name, sizeof program.name);
        proc.inherited.executable_set_id = program.set_id;
        std::swap(proc.program, program.file);          // the old ones are dropped with `program`
        if (program.credentials) {
            std::swap(proc.credentials, program.credentials);
        }
    }
    if (trace::on) [[unlikely]] {
        trace::write_exec(proc.pid, program.name);
    }
    proc.id_version = next_id_version();
    {
        SpinGuard guard(families_lock);
        proc.has_execed = true;
    }
}

Thread& join_body(Body& body, const NewProgram& program) {
    Thread& thread = *body.thread.release();
    thread.uthread = body.uthread.release();
    body.task->add(thread);
    start_registers(thread.user_frame(), program);
    thread_set_user_entry(thread);
    return thread;
}
