// Lab 4 in every order of a few cores (docs/testing.md): the thread is lent and comes home while others signal, kill and wait.
#include "schedules/process_cases.h"

using explorer::call;

TEST_GROUP_BASE(VforkCores, ProcessCase) {
    void setup() override { start(); }
    // As the child on loan: one call, then exit. The pid that vfork returns to the parent. A signal may have brought the thread
    // home before.
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

TEST(VforkCores, a_kill_of_the_child_on_loan_or_just_home_ends_it_once) {
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
    explore_all({.most = 2'500});
}

TEST(VforkCores, a_signal_to_the_lender_waits_for_it) {
    const explorer::Program parent = [&] { EXPECT(lend_and_exit(3) > 0); };
    const Pid pid = explorer::add_process(parent);
    const explorer::Program killer = [pid] { call(SYS_kill, static_cast<uint64_t>(number(pid)), FL_SIGTERM); };
    explorer::add_process(killer);
    explore_all({.most = 2'500});
}

TEST(VforkCores, another_thread_of_the_lender_collects_the_child) {
    int64_t lent = 0, waited = 0;
    const explorer::Program thread = [&] {
        while ((waited = call(SYS_wait4, static_cast<uint64_t>(-1))) == error(Error::NoChild)) {
            explorer::yield("look for a child again");
        }
    };
    const explorer::Program parent = [&] {
        explorer::start_thread(thread);
        lent = lend_and_exit(3);
        call(SYS_thread_exit);
    };
    explorer::add_process(parent);
    explore_all({.most = 1'500}, [&] { EXPECT(lent > 0 && lent == waited); });
}

TEST(VforkCores, two_threads_of_one_process_are_lent_at_once) {
    const explorer::Program thread = [&] {
        const int64_t pid = lend_and_exit(4);
        EXPECT_EQUAL(pid, explorer::wait_for(pid).pid);
    };
    const explorer::Program parent = [&] {
        explorer::start_thread(thread);
        const int64_t pid = lend_and_exit(3);
        EXPECT_EQUAL(pid, explorer::wait_for(pid).pid);
        call(SYS_thread_exit);
    };
    explorer::add_process(parent);
    explore_all({.preemptions = 1, .most = 1'500});
}
