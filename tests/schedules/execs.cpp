// exec while others look, kill and set: with a body of its own, and on loan, where it makes one.
#include "schedules/process_cases.h"

using explorer::call;
using explorer::exit_with;

TEST_GROUP_BASE(Execs, ProcessCase) {
    void setup() override {
        start();
        add_file("/tmp/program", program_);
    }
    // Lends the thread, and execs as the child. The pid that vfork returns to the parent.
    static int64_t lend_and_execute() {
        int64_t result = call(SYS_vfork);
        if (explorer::on_loan()) {
            EXPECT_EQUAL(0, result);
            result = explorer::execute("/tmp/program");
        }
        EXPECT(!explorer::on_loan());
        return result;
    }
    static explorer::Program killer_of(int32_t pid) {
        return [pid] {
            const int64_t sent = call(SYS_kill, static_cast<uint64_t>(pid), FL_SIGKILL);
            EXPECT(sent == 0 || sent == error(Error::NoProcess));
        };
    }

private:
    explorer::Program program_ = [] { exit_with(5); };
};

TEST(Execs, on_loan_both_go_on_and_the_child_is_collected_once) {
    const explorer::Program parent = [] {
        const int64_t pid = lend_and_execute();
        EXPECT(pid > 0);
        const explorer::Waited waited = explorer::wait_for(pid);
        EXPECT_EQUAL(pid, waited.pid);
        EXPECT_EQUAL(status_of_exit(5), waited.status);
    };
    explorer::add_process(parent);
    explore_all({.most = 2'500, .random = 200});
}

TEST(Execs, a_kill_of_the_child_that_execs_on_loan_ends_it_and_brings_the_thread_home) {
    const explorer::Program parent = [] {
        const int64_t pid = lend_and_execute();
        EXPECT(pid > 0);
        const explorer::Waited waited = explorer::wait_for(pid);
        EXPECT_EQUAL(pid, waited.pid);
        EXPECT(waited.status == status_of_exit(5) || waited.status == status_of_signal(FL_SIGKILL));
    };
    const Pid pid = explorer::add_process(parent);
    const explorer::Program killer = killer_of(number(pid) + 2);    // the killer is made between the two
    explorer::add_process(killer);
    explore_all({.most = 2'500, .random = 300});
}

TEST(Execs, a_kill_of_the_lender_while_its_child_execs_leaves_nothing) {
    const explorer::Program parent = [] { EXPECT(lend_and_execute() > 0); };
    const explorer::Program killer = killer_of(number(explorer::add_process(parent)));
    explorer::add_process(killer);
    explore_all({.most = 2'500, .random = 300});
}

TEST(Execs, who_lists_the_processes_meanwhile_sees_the_old_memory_or_the_new) {
    const explorer::Program executes = [] {
        explorer::execute("/tmp/program");
        explorer::fail("exec came back");
    };
    const explorer::Program looks = [] {
        EXPECT(call(SYS_proc_list, explorer::scratch.value, page_size / sizeof(ForkloreProcInfo)) >= 2);
    };
    explorer::add_process(executes);
    explorer::add_process(looks);
    explore_all({.preemptions = 1, .most = 1'500, .random = 200});
}

TEST(Execs, the_body_that_a_child_on_loan_makes_has_the_niceness_that_was_set_meanwhile) {
    static bool same;
    const explorer::Program compares = [] {
        SpinGuard guard(families_lock);
        same = cpu::current_thread()->nice == current_proc().inherited.nice;
    };
    add_file("/tmp/compares", compares);
    const explorer::Program parent = [] {
        if (call(SYS_vfork) == 0) {
            explorer::execute("/tmp/compares");
        }
        explorer::wait_for(-1);
    };
    const Pid pid = explorer::add_process(parent);
    const explorer::Program sets = [pid] {
        call(SYS_setpriority, 0, static_cast<uint64_t>(number(pid)) + 2, 7);
    };
    explorer::add_process(sets);
    explore_all({.most = 2'500, .random = 200}, [] { EXPECT(same); });
}
