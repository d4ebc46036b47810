// A lent thread, and what others do to its two processes meanwhile.
#include "schedules/process_cases.h"

using explorer::call;
using explorer::exit_with;

TEST_GROUP_BASE(Vforks, ProcessCase) {
    void setup() override { start(); }
    // As the child on loan: one call, then exit. The pid that vfork returns to the parent. A signal may have brought the
    // thread home before.
    static int64_t lend_and_exit(int code) {
        int64_t result = call(SYS_vfork);
        if (explorer::on_loan()) {
            EXPECT_EQUAL(0, result);
            result = call(SYS_getppid);
        }
        if (explorer::on_loan()) {
            result = call(SYS_exit, static_cast<uint64_t>(code));
        }
        EXPECT(!explorer::on_loan());
        return result;
    }
};

TEST(Vforks, another_thread_of_the_parent_waits_for_the_child) {
    int64_t lent = 0, waited = 0;
    const explorer::Program thread = [&] {
        do {
            waited = call(SYS_wait4, static_cast<uint64_t>(-1));
        } while (waited == error(Error::NoChild));
    };
    const explorer::Program parent = [&] {
        lent = lend_and_exit(3);
        explorer::start_thread(thread);
        call(SYS_thread_exit);
    };
    explorer::add_process(parent);
    explore_all({.most = 3'000, .random = 300}, [&] {
        EXPECT(lent > 0);
        EXPECT_EQUAL(lent, waited);
    });
}

TEST(Vforks, a_kill_of_the_child_on_loan_or_just_home_ends_it_once) {
    const explorer::Program parent = [&] {
        const int64_t pid = lend_and_exit(3);
        EXPECT(pid > 0);
        const explorer::Waited waited = explorer::wait_for(pid);
        EXPECT_EQUAL(pid, waited.pid);
        EXPECT(waited.status == status_of_exit(3) || waited.status == status_of_signal(FL_SIGKILL));
    };
    const Pid pid = explorer::add_process(parent);
    // The child's number is the next but one.
    const explorer::Program killer = [pid] { call(SYS_kill, static_cast<uint64_t>(number(pid)) + 2, FL_SIGKILL); };
    explorer::add_process(killer);
    explore_all({.most = 8'000, .random = 500});
}

TEST(Vforks, a_kill_of_the_lender_ends_both) {
    const explorer::Program parent = [&] {
        const int64_t pid = lend_and_exit(3);
        EXPECT(pid > 0);
    };
    const Pid pid = explorer::add_process(parent);
    const explorer::Program killer = [pid] { call(SYS_kill, static_cast<uint64_t>(number(pid)), FL_SIGKILL); };
    explorer::add_process(killer);
    explore_all({.most = 8'000, .random = 500});
}

TEST(Vforks, a_signal_to_the_lender_waits_for_the_parent) {
    const explorer::Program parent = [&] {
        const int64_t pid = lend_and_exit(3);
        EXPECT(pid > 0);
    };
    const Pid pid = explorer::add_process(parent);
    const explorer::Program killer = [pid] { call(SYS_kill, static_cast<uint64_t>(number(pid)), FL_SIGTERM); };
    explorer::add_process(killer);
    explore_all({.most = 8'000, .random = 500});
}

TEST(Vforks, a_lender_whose_other_thread_exits_ends_with_its_child) {
    const explorer::Program thread = [] { exit_with(7); };
    const explorer::Program parent = [&] {
        explorer::start_thread(thread);
        lend_and_exit(3);
    };
    explorer::add_process(parent);
    explore_all({.most = 8'000, .random = 500});
}

TEST_GROUP_BASE(Futexes, ProcessCase) {
    void setup() override { start(); }
};

TEST(Futexes, who_waits_for_a_word_hears_of_its_change) {
    const explorer::Program waiter = [] {
        for (;;) {
            const int64_t result = call(SYS_futex_wait, explorer::scratch.value, 0, 0);
            if (result == error(Error::TryAgain)) {
                break;      // it is no longer 0
            }
            EXPECT_EQUAL(0, result);
        }
    };
    const explorer::Program process = [&] {
        AddressSpace& memory = *cpu::current_thread()->task->space;
        uint32_t word = 0;
        memory.store(explorer::scratch, &word, sizeof word).value();
        explorer::start_thread(waiter);
        word = 1;
        memory.store(explorer::scratch, &word, sizeof word).value();
        call(SYS_futex_wake, explorer::scratch.value);
        call(SYS_thread_exit);
    };
    explorer::add_process(process);
    explore_all({.most = 6'000, .random = 300});
}

TEST(Futexes, a_thread_that_ends_clears_its_word_and_wakes_who_joins_it) {
    const explorer::Program worker = [] {
        call(SYS_thread_exit, explorer::scratch.value);
    };
    const explorer::Program process = [&] {
        AddressSpace& memory = *cpu::current_thread()->task->space;
        uint32_t word = 1;
        memory.store(explorer::scratch, &word, sizeof word).value();
        explorer::start_thread(worker);
        while (word != 0) {
            call(SYS_futex_wait, explorer::scratch.value, 1, 0);
            memory.load(&word, explorer::scratch, sizeof word).value();
        }
    };
    explorer::add_process(process);
    explore_all({.most = 6'000, .random = 300});
}
