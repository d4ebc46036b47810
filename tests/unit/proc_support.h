// What the tests of processes share: a shell (pid 2, leader of session and group 2) whose part the test plays, its memory,
// and the ledger of it all.
#pragma once

#include <algorithm>
#include <iterator>
#include <new>
#include <string_view>

#include "host/process.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/vfork.h"
#include "unit/panics.h"
#include "unit/support.h"

// How often the things that a process refers to are referred to, and where its files stand.
class References {
public:
    explicit References(Proc& proc) : proc_(proc) {
        credentials_ = proc.credentials->references();
        account_ = proc.credentials->account->references();
        processes_of_user_ = proc.credentials->account->processes;
        limits_ = proc.limits->references();
        directory_ = proc.directory ? proc.directory->references() : 0;
        program_ = proc.program ? proc.program->references() : 0;
        coalition_ = proc.inherited.coalition->references();
        persona_ = proc.inherited.persona ? proc.inherited.persona->references() : 0;
        loans_ = proc.loans;
        for (int fd = 0; fd < most_files; ++fd) {
            if (Result<Ref<File>> file = proc.files->get(fd); file.ok()) {
                files_[fd] = file.value()->references();
                offsets_[fd] = file.value()->seek(0, FL_SEEK_CUR).value_or(0);
            }
        }
    }
    void check() const {
        References now(proc_);
        UNSIGNED_LONGS_EQUAL_TEXT(credentials_, now.credentials_, "references to the credentials");
        UNSIGNED_LONGS_EQUAL_TEXT(account_, now.account_, "references to the user's account");
        UNSIGNED_LONGS_EQUAL_TEXT(processes_of_user_, now.processes_of_user_, "processes of the user");
        UNSIGNED_LONGS_EQUAL_TEXT(limits_, now.limits_, "references to the limits");
        UNSIGNED_LONGS_EQUAL_TEXT(directory_, now.directory_, "references to the directory");
        UNSIGNED_LONGS_EQUAL_TEXT(program_, now.program_, "references to the program file");
        UNSIGNED_LONGS_EQUAL_TEXT(coalition_, now.coalition_, "references to the coalition");
        UNSIGNED_LONGS_EQUAL_TEXT(persona_, now.persona_, "references to the persona");
        UNSIGNED_LONGS_EQUAL_TEXT(loans_, now.loans_, "threads that are lent");
        for (int fd = 0; fd < most_files; ++fd) {
            UNSIGNED_LONGS_EQUAL_TEXT(files_[fd], now.files_[fd], "references to an open file");
            UNSIGNED_LONGS_EQUAL_TEXT(offsets_[fd], now.offsets_[fd], "the offset of an open file");
        }
    }

private:
    static constexpr int most_files = 8;
    Proc& proc_;
    uint32_t credentials_, account_, limits_, directory_, program_, coalition_, persona_;
    size_t processes_of_user_;
    unsigned loans_;
    uint32_t files_[most_files] = {};
    uint64_t offsets_[most_files] = {};
};

// What it takes to load a program: all of exec but its beginning and end.
inline constexpr Step program_steps[] = {
    {"path", Error::BadAddress},
    {"first bytes of the file", Error::Io},
    {"pointer in argv", Error::BadAddress},
    {"page for strings", Error::NoMemory},
    {"string of argv", Error::BadAddress},
    {"end of argv", Error::BadAddress},
    {"pointer in envp", Error::BadAddress},
    {"string of envp", Error::BadAddress},
    {"end of envp", Error::BadAddress},
    {"address space", Error::NoMemory},
    {"root table", Error::NoMemory},
    {"ELF header", Error::Io},
    {"segments", Error::Io},
    {"region of text", Error::NoMemory},
    {"region of data", Error::NoMemory},
    {"page of data", Error::NoMemory},
    {"last table", Error::NoMemory},
    {"middle table", Error::NoMemory},
    {"region of zeros", Error::NoMemory},
    {"region of the stack", Error::NoMemory},
    {"page of the stack", Error::NoMemory},
    {"last table of the stack", Error::NoMemory},
};
// And to make what it runs in, where the process has none.
inline constexpr Step body_steps[] = {
    {"task", Error::NoMemory},
    {"kernel stack", Error::NoMemory},
    {"thread", Error::NoMemory},
    {"uthread", Error::NoMemory},
};

template <size_t Count>
struct Steps {
    Step all[Count];
};
// One list behind the other.
template <size_t... Counts>
constexpr Steps<(Counts + ...)> joined(const Step (&... lists)[Counts]) {
    Steps<(Counts + ...)> result{};
    Step* at = result.all;
    ((at = std::copy(lists, lists + Counts, at)), ...);
    return result;
}

class ProcessTest : public Utest {
public:
    static constexpr UserAddr data{0x20'0000};          // four private pages
    static constexpr UserAddr shared{0x30'0000};        // one page that fork shares
    static constexpr UserAddr text{0x38'0000};          // one page that may be executed
    static constexpr size_t data_pages = 4;
    static constexpr Uid user = 1000;

    void setup() override {
        // Zones are made by their first use, pids are as another group left them: both before the ledger looks.
        host::start_processes();
        host::end_processes();
        ledger_ = new (ledger_memory_) Ledger;
        start();
    }
    void teardown() override {
        failpoint::disarm();
        host::set_current(*outside_);
        host::end_processes();
        ledger_->check();
    }

protected:
    // The shell begins, and is what the test plays.
    void start(int32_t pid_max = largest_pid_max) {
        host::start_processes(pid_max);
        outside_ = cpu::current_thread();
        host::set_current(host::thread_of(host::init()));
        must(fork1(frame, {}));
        host::set_current(host::take_started());
        must(sys_setsid(frame));
        AddressSpace& memory = space();
        must(memory.map(data, data_pages * page_size, Protection::read_write(), {.fixed = true}));
        must(memory.map(shared, page_size, Protection::read_write(), {.fixed = true, .shared = true}));
        must(memory.map(text, page_size, Protection::read_execute(), {.fixed = true}));
        frame = {};
        frame.x[5] = 55;
        frame.sp = 0x1000;
        frame.pc = program_counter;
    }
    // The same with few pids; the shell of setup() ends.
    void start_again(int32_t pid_max) {
        host::set_current(*outside_);
        host::end_processes();
        start(pid_max);
    }

    Thread& outside() { return *outside_; }     // of no process

    static Proc& me() { return current_proc(); }
    static AddressSpace& space() { return *cpu::current_thread()->task->space; }
    static AddressSpace& space_of(Proc& proc) { return *proc.task->space; }
    static Proc& find(Pid pid) {
        Proc* proc = host::find_process(pid);
        CHECK_TRUE_TEXT(proc != nullptr, "there is no such process");
        return *proc;
    }

    // A system call of the current thread's with these arguments; x0 to x3 of `frame` are changed by it.
    template <typename... Arguments>
    Result<uint64_t> call(Result<uint64_t> (*function)(UserFrame&), Arguments... arguments) {
        const uint64_t values[] = {static_cast<uint64_t>(arguments)..., 0};
        for (size_t i = 0; i < sizeof...(arguments); ++i) {
            frame.x[i] = values[i];
        }
        return function(frame);
    }

    // A child by fork or vfork; after vfork the test plays it.
    Proc& forked() {
        Pid pid = must(fork1(frame, {}));
        return find(pid);
    }
    Proc& lent() {
        must(vfork(frame));
        return me();
    }
    void collect(Pid pid) { LONGS_EQUAL(number(pid), must(host::collect(me(), pid))); }
    // A child ends and is collected.
    void finish(Proc& child) {
        Pid pid = child.pid;
        host::end(child, 0);
        collect(pid);
    }

    // The program's memory.
    static void put(UserAddr at, uint64_t word) { must(space().store(at, &word, sizeof word)); }
    static uint64_t word_of(AddressSpace& memory, UserAddr at) {
        uint64_t word = 0;
        must(memory.load(&word, at, sizeof word));
        return word;
    }
    static UserAddr put_string(UserAddr at, std::string_view string) {
        must(space().store(at, string.data(), string.size()));
        must(space().clear(at + string.size(), 1));
        return at;
    }

    // The parent has touched what fork has to copy.
    void touch_memory() {
        for (size_t i = 0; i < data_pages; ++i) {
            put(data + i * page_size, 100 + i);
        }
        put(shared, 200);
        uint32_t instruction = 0xd503201f;      // nop
        must(space().store(text, &instruction, sizeof instruction, true));
    }

    static constexpr uint64_t program_counter = 0x38'0000;
    UserFrame frame{};

private:
    Thread* outside_ = nullptr;
    Ledger* ledger_ = nullptr;
    alignas(Ledger) unsigned char ledger_memory_[sizeof(Ledger)];
};
