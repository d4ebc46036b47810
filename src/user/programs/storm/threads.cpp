// Several threads in a process: any of them ends it, execs, forks, vforks, or all are killed.
//
// The threads make bare system calls: newlib's errno would be one for all of them.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds.h"
#include "user/newlib/system_call.h"

namespace storm {

namespace {

constexpr unsigned most_threads = 4, most_forks = 3;
constexpr size_t stack_size = 8192;
alignas(16) char stacks[most_threads][stack_size];
std::atomic<uint32_t> busy[most_threads];       // a thread's word, cleared by its end
std::atomic<uint32_t> nothing;                  // a word that nobody changes

enum class Deed : unsigned { Yield, Spin, SleepOnWord, End, Exit, Exec, Fork, Vfork, Count };

struct Order {
    Deed deed;
    unsigned delay;
    int status;
    char status_text[12], mask_text[20];
};
Order orders[most_threads];

void exec_from_thread(Order& order) {
    const char* arguments[] = {"storm", "as-child", order.status_text, order.mask_text, nullptr};
    system_call(SYS_execve, "/bin/storm", arguments, arguments + 4);
    // Another thread ends the process, or there is no memory for the new program.
    system_call(SYS_exit, order.status);
}

[[gnu::noinline]] void vfork_from_thread() {
    register long x0 asm("x0") = 0;
    register long x8 asm("x8") = SYS_vfork;
    asm volatile("svc #0\n cbnz x0, 1f\n mov x0, #0\n mov x8, %2\n svc #0\n 1:" : "+r"(x0), "+r"(x8) : "i"(SYS_exit) : "x1", "memory");
    if (x0 > 0) {
        board->made.fetch_add(1);
        system_call(SYS_wait4, x0, 0, 0, 0);
    }
}

void fork_from_thread() {
    const long pid = system_call(SYS_fork);
    if (pid == 0) {
        system_call(SYS_exit, 0);
    }
    if (pid > 0) {
        board->made.fetch_add(1);
        system_call(SYS_wait4, pid, 0, 0, 0);
    }
}

void do_deed(Order& order) {
    for (unsigned i = 0; i < order.delay; ++i) {
        system_call(SYS_sched_yield);
    }
    for (unsigned forks = 0; forks < most_forks;) {
        switch (order.deed) {
        case Deed::Yield: system_call(SYS_sched_yield); break;
        case Deed::Spin: break;
        case Deed::SleepOnWord: system_call(SYS_futex_wait, &nothing, 0, nullptr); break;
        case Deed::Exit: system_call(SYS_exit, order.status); break;
        case Deed::Exec: exec_from_thread(order); break;
        case Deed::Fork: fork_from_thread(); ++forks; break;
        case Deed::Vfork: vfork_from_thread(); ++forks; break;
        default: return;
        }
    }
}

void thread_main(uint64_t i) {
    do_deed(orders[i]);
    system_call(SYS_thread_exit, &busy[i]);
}

bool start_thread(unsigned i, Deed deed, unsigned delay, int status) {
    orders[i].deed = deed;
    orders[i].delay = delay;
    orders[i].status = status;
    sigset_t mask = 0;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    snprintf(orders[i].status_text, sizeof orders[i].status_text, "%d", status);
    snprintf(orders[i].mask_text, sizeof orders[i].mask_text, "%lu", static_cast<unsigned long>(mask));
    busy[i].store(1);
    const long tid = system_call(SYS_thread_create, thread_main, i, stacks[i] + stack_size, 0);
    if (tid < 0) {
        busy[i].store(0);
        if (tid != -EAGAIN && tid != -ENOMEM) {
            complain("thread_create gave %ld", tid);
        }
    }
    return tid > 0;
}

Deed any_deed(Random& random) { return static_cast<Deed>(random.below(static_cast<unsigned>(Deed::Count))); }

// Threads that end and are waited for leave the process whole.
void threads_joined(Random& random) {
    const int status = static_cast<int>(random.below(256));
    const unsigned count = 1 + random.below(most_threads);
    const uint64_t pattern = random.next();
    fill_memory(pattern);
    const pid_t pid = try_fork();
    if (pid == 0) {
        for (unsigned i = 0; i < count; ++i) {
            start_thread(i, Deed::End, random.below(4), 0);
        }
        for (unsigned i = 0; i < count; ++i) {
            while (busy[i].load() != 0) {
                system_call(SYS_futex_wait, &busy[i], 1, nullptr);
            }
        }
        EXPECT(memory_holds(pattern));
        leave(status);
    }
    if (pid > 0) {
        expect_exit(pid, status);
    }
}

// Any thread may end the process while the others do anything; all ends give the same status.
void any_thread_ends_it(Random& random) {
    const int status = static_cast<int>(random.below(200));
    const unsigned count = 1 + random.below(most_threads);
    const bool kill_it = random.chance(3);
    Lifeline line;
    if (!line.ok()) {
        return;
    }
    const pid_t pid = try_fork();
    if (pid == 0) {
        line.in_child();
        for (unsigned i = 0; i < count; ++i) {
            const Deed deed = kill_it && random.chance(2) ? Deed::SleepOnWord : any_deed(random);
            start_thread(i, deed, random.below(4), status);
        }
        orders[0].delay = random.below(8);
        if (kill_it) {
            kill(getpid(), SIGKILL);
        }
        for (unsigned i = random.below(8); i > 0; --i) {
            system_call(SYS_sched_yield);
        }
        system_call(SYS_exit, status);
    }
    if (pid > 0) {
        line.wait_for_end();
        let_go(pid);
        const int got = collect(pid);
        EXPECT((WIFEXITED(got) && WEXITSTATUS(got) == status) || (kill_it && WIFSIGNALED(got) && WTERMSIG(got) == SIGKILL));
    }
}

void killed_with_threads(Random& random) {
    const unsigned count = 1 + random.below(most_threads);
    Lifeline line;
    if (!line.ok()) {
        return;
    }
    const pid_t pid = try_fork();
    if (pid == 0) {
        line.in_child();
        for (unsigned i = 0; i < count; ++i) {
            Deed deed = any_deed(random);
            start_thread(i, deed == Deed::Exit || deed == Deed::Exec ? Deed::Fork : deed, random.below(4), 0);
        }
        for (;;) {
            sched_yield();
        }
    }
    if (pid > 0) {
        for (unsigned turns = random.below(20); turns > 0; --turns) {
            sched_yield();
        }
        EXPECT(kill(pid, SIGKILL) == 0);
        line.wait_for_end();
        let_go(pid);
        expect_signal(pid, SIGKILL);
    }
}

}  // namespace

const Kind thread_kinds[] = {
    {"joined", 4, threads_joined},
    {"thread-ends", 8, any_thread_ends_it},
    {"threads-killed", 5, killed_with_threads},
    {nullptr, 0, nullptr},
};

}  // namespace storm
