// Processes under the explorer. See processes.h.
//
// A program finds its function by its registers: x19 of a forked child's frame is the address of the function, which fork
// copies like any register; a thread has it as its argument in x0. A program that was exec'ed has it by its entry.
#include "explorer/processes.h"

#include <cstring>

#include "abi/forklore.h"
#include "explorer/engine/engine.h"
#include "explorer/machine/machine.h"
#include "host/program_files.h"
#include "kernel/entry/trap.h"
#include "kernel/fs/root.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/sched.h"
#include "machine/user_access.h"
#include "mm/user_copy.h"

namespace explorer {
namespace {

constexpr uint64_t program_counter = 0x1000;
constexpr unsigned program_register = 19;

Thread* init_thread = nullptr;

// The files: each has an entry of its own.
constexpr unsigned most_files = 4;
constexpr uint64_t bytes_each = 16;
const Program* program_of_file[most_files];
unsigned files = 0;

UserAddr entry_of(unsigned file) { return host::program_entry + file * bytes_each; }

UserFrame& registers() { return cpu::current_thread()->user_frame(); }

uint64_t address_of(const Program& program) { return reinterpret_cast<uint64_t>(&program); }

// The program of the file that was exec'ed just now, or nullptr.
const Program* just_executed(const UserFrame& frame) {
    for (unsigned file = 0; file < files; ++file) {
        if (frame.pc == entry_of(file).value) {
            return program_of_file[file];
        }
    }
    return nullptr;
}

[[noreturn]] void run_file(UserFrame& frame, const Program& program) {
    frame.pc = program_counter;
    program();
    exit_with(0);
}

void run_program(UserFrame& frame) {
    if (const Program* program = just_executed(frame)) {
        run_file(frame, *program);
    }
    const uint64_t function = frame.x[program_register] != 0 ? frame.x[program_register] : frame.x[0];
    frame.x[program_register] = 0;
    frame.pc = program_counter;
    const bool is_thread = frame.x[1] == 0;     // a child of fork has 1 there
    (*reinterpret_cast<const Program*>(function))();
    if (is_thread) {
        call(SYS_thread_exit);
    }
    exit_with(0);
}

// Collects for ever; without children it sleeps until an orphan comes.
void run_init(void*) {
    become_daemon();
    registers() = UserFrame{};
    registers().pc = program_counter;
    for (;;) {
        if (call(SYS_wait4, static_cast<uint64_t>(-1)) >= 0) {
            continue;
        }
        Proc& init = current_proc();
        SpinGuard guard(families_lock);
        if (init.children.empty()) {
            park(init.children_changed, families_lock);
        }
    }
}

}  // namespace

void start_processes(int32_t pid_max) {
    if (init_thread != nullptr) {
        panic("tests/explorer: processes are started once; run each test in a process of its own (-p)");
    }
    pid_init(pid_max).value();
    file_system_init({}).value();
    proc_init().value();
    before_first_return = look_at_return_work;
    host::program = run_program;
    cloneproc_init(run_init, nullptr).value();
    {
        SpinGuard guard(families_lock);
        Proc& init = *find_process_locked(Pid::Init);
        SpinGuard task_guard(init.task->lock);
        init_thread = init.task->threads.first();
    }
    init_thread->task->space->map(scratch, page_size, Protection::read_write(), {.fixed = true}).value();
}

Pid add_process(const Program& program) {
    Thread& before = host::act_as(*init_thread);
    registers() = UserFrame{};
    registers().pc = program_counter;
    const auto pid = static_cast<int32_t>(fork_to(program));
    host::act_as(before);
    if (pid < 0) {
        panic("tests/explorer: a process of the case can not be made", static_cast<uint64_t>(-pid));
    }
    return static_cast<Pid>(pid);
}

int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    UserFrame& frame = registers();
    const uint64_t at = frame.pc;
    do {
        frame.pc = at;
        frame.x[0] = a;
        frame.x[1] = b;
        frame.x[2] = c;
        frame.x[3] = d;
        frame.x[8] = number;
        (void)cpu::disable_interrupts();        // as on every way in
        handle_system_call(&frame);
        cpu::restore_interrupts(true);
    } while (frame.pc == at - 4);               // the call is made again
    if (const Program* program = just_executed(frame)) {
        run_file(frame, *program);
    }
    return static_cast<int64_t>(frame.x[0]);
}

int64_t fork_to(const Program& child) {
    registers().x[program_register] = address_of(child);
    const int64_t pid = call(SYS_fork);
    registers().x[program_register] = 0;
    return pid;
}

void exit_with(int code) {
    call(SYS_exit, static_cast<uint64_t>(code));
    fail("exit came back");
}

Waited wait_for(int64_t pid, int options) {
    const int64_t found = call(SYS_wait4, static_cast<uint64_t>(pid), scratch.value, static_cast<uint64_t>(options));
    uint32_t status = 0;
    if (found > 0 && !user_access::load_word(scratch, status)) {
        fail("the wait status can not be read");
    }
    return {found, static_cast<int>(status)};
}

void compute_for_ever() {
    for (;;) {
        yield("compute");
        look_at_return_work(registers());
        cpu::restore_interrupts(true);
    }
}

int64_t start_thread(const Program& program) {
    constexpr uint64_t stack = 0x10'0000;
    return call(SYS_thread_create, program_counter, address_of(program), stack, 0);
}

void add_program_file(const char* path, const Program& program) {
    if (files == most_files) {
        panic("tests/explorer: too many files");
    }
    program_of_file[files] = &program;
    host::add_program(path, {.entry = entry_of(files)});
    ++files;
}

int64_t execute(const char* path) {
    constexpr UserAddr argv = scratch + 256;        // none: the null pointer that ends them, for envp too
    const uint64_t end = 0;
    if (!copy_out(scratch, path, strlen(path) + 1).ok() || !copy_out_value(argv, end).ok()) {
        fail("exec: the arguments can not be written");
    }
    return call(SYS_execve, scratch.value, argv.value, argv.value);
}

bool on_loan() { return current_uthread().loan.has_value(); }

bool process_exists(Pid pid) {
    SpinGuard guard(families_lock);
    return find_process_locked(pid) != nullptr;
}

}  // namespace explorer
