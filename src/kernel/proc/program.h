// A new program on its way: everything that exec and spawn need of it, made while whoever asked for it is whole.
//
// Gathered by find and load, from a file to a first stack; nobody sees it until it is entered. Counterpart in the original:
// struct image_params, exec_activate_image.
#pragma once

#include <string_view>

#include "kernel/proc/arguments.h"
#include "kernel/proc/proc.h"

// On whose behalf a program is looked for and loaded: the process that will run it.
struct ProgramUser {
    Ref<Credentials> credentials;
    Ref<Vnode> directory;           // none: the root
    Ref<Limits> limits;

    static ProgramUser current();   // the current process, as the current thread sees it
};

// Each member gives itself back.
struct NewProgram {
    Ref<AddressSpace> space;
    Ref<Vnode> file;
    Ref<Credentials> credentials;   // none: unchanged
    bool set_id = false;            // the file's bits give an identity
    ProgramImage image;
    UserAddr stack_pointer;
    char name[32] = {};
};

// What runs a program in a process that has none of its own.
struct Body {
    ZoneOwned<Task> task;
    ZoneOwned<Thread> thread;
    ZoneOwned<UThread> uthread;
};

// Finds the file and gathers the arguments, following scripts that start with "#!". `argv` and `envp` are arrays of the
// current thread's program; null is an empty one. NoEntry, AccessDenied, NotExecutable, ArgumentsTooLong, BadAddress, NoMemory, Io.
Result<> find_program(NewProgram& program, const ProgramUser& user, std::string_view path, UserAddr argv, UserAddr envp,
                      ArgumentBuffer& arguments);
// The same from the kernel's strings: argv is the path alone.
Result<> find_first_program(NewProgram& program, const ProgramUser& user, std::string_view path, ArgumentBuffer& arguments);

// Its memory, with the arguments on the stack, and the identity that it begins with. As elf_load; NoMemory.
Result<> load_program(NewProgram& program, const ProgramUser& user, const ArgumentBuffer& arguments);

// A task with the program's memory, and a thread whose signal mask is the current one's. NoMemory.
Result<Body> make_body(Proc& proc, const NewProgram& program);

// --- what can not fail ---

// The registers that the program starts with.
void start_registers(UserFrame& frame, const NewProgram& program);
// `proc` becomes the program in all but memory and threads: descriptors, handlers, name, identity.
void become_program(Proc& proc, NewProgram& program);
// The parts of the body joined, at the program's start. The caller gives the task to the process and starts the thread.
Thread& join_body(Body& body, const NewProgram& program);
