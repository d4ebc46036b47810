// Init in the test image: its thread does what a test tells it, so that a test can call fork, vfork and exec as a process
// would. Its children are programs of a few instructions that really run.
//
// Init's thread never checks: it reports in what its job refers to, and the test looks afterwards.
#pragma once

#include "crew.h"
#include "kernel/entry/trap.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/spawn.h"
#include "kernel/proc/vfork.h"
#include "unit/support.h"

class Init {
public:
    // Made by its first use. Afterwards init alone lives, and pids start at 2 and stay below `pid_max`.
    static void start(int32_t pid_max = largest_pid_max) {
        must(pid_init(pid_max));
        if (!made) {
            before_first_return = look_at_return_work;
            must(cloneproc_init(work, nullptr));
            made = true;
            run([] { prepare_memory(); });
            return;
        }
        pid_take(Pid::Kernel, PidUse::Group);
        pid_take(Pid::Kernel, PidUse::Session);
        LONGS_EQUAL(number(Pid::Init), number(must(pid_allocate())));
    }

    // Init's thread calls it; returns when it has.
    template <typename Job>
    static void run(Job job) {
        function = [](void* of_job) { (*static_cast<Job*>(of_job))(); };
        argument = &job;
        asked.up();
        done.down();
    }

    // The registers of a program that exits with 7, or sleeps until it is killed.
    static UserFrame exits() { return at(code); }
    static UserFrame sleeps() { return at(code + exit_code_bytes); }

    // In init's memory: what spawn takes to run /bin/true.
    static UserAddr program_paths() { return paths; }

    // In init's thread: waits for each child there is; how many there were.
    static unsigned collect_all() {
        unsigned count = 0;
        for (;; ++count) {
            UserFrame frame{};
            look_at_return_work(frame);     // as at every return to a program: else a sleep ends at once
            cpu::restore_interrupts(true);
            frame.x[0] = static_cast<uint64_t>(-1);
            if (!sys_wait4(frame).ok()) {
                return count;
            }
        }
    }
    static void kill_all() {
        UserFrame frame{};
        frame.x[0] = static_cast<uint64_t>(-1);
        frame.x[1] = FL_SIGKILL;
        (void)sys_kill(frame);
    }

private:
    static constexpr UserAddr code{0x1'0000};
    static constexpr UserAddr word{0x2'0000};       // stays 0
    static constexpr UserAddr paths = word + 16;    // the address of `path`, and a null
    static constexpr UserAddr path = word + 32;
    static constexpr size_t exit_code_bytes = 12;

    static UserFrame at(UserAddr pc) {
        UserFrame frame{};
        frame.pc = pc.value;
        frame.x[19] = word.value;
        return frame;
    }
    static void prepare_memory() {
        static constexpr uint32_t instructions[] = {
            0xd28000e0,     // mov x0, #7
            0xd2800008,     // mov x8, #SYS_exit
            0xd4000001,     // svc #0
            0xaa1303e0,     // mov x0, x19
            0xaa1f03e1,     // mov x1, xzr
            0xaa1f03e2,     // mov x2, xzr
            0xd2800388,     // mov x8, #SYS_futex_wait
            0xd4000001,     // svc #0
            0x17fffffb,     // b to the first of these six
        };
        static_assert(SYS_exit == 0 && SYS_futex_wait == 28);
        AddressSpace& space = *cpu::current_thread()->task->space;
        const uint64_t zero = 0;
        const uint64_t array[] = {path.value, 0};
        const bool good = space.map(code, page_size, Protection::read_execute(), {.fixed = true}).ok() &&
                          space.store(code, instructions, sizeof instructions, true).ok() &&
                          space.map(word, page_size, Protection::read_write(), {.fixed = true}).ok() &&
                          space.store(word, &zero, sizeof zero).ok() && space.store(paths, array, sizeof array).ok() &&
                          space.store(path, "/bin/true", sizeof "/bin/true").ok();
        ASSERT(good);
    }
    [[noreturn]] static void work(void*) {
        for (;;) {
            asked.down();
            function(argument);
            done.up();
        }
    }

    static inline bool made = false;
    static inline Semaphore asked, done;
    static inline void (*function)(void*) = nullptr;
    static inline void* argument = nullptr;
};
