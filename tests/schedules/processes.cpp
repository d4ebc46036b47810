// Processes: fork, exit, wait, groups, sessions, orphans. After each schedule the ledger is as before the processes were made.
#include <vector>

#include "schedules/process_cases.h"

using explorer::call;
using explorer::exit_with;
using explorer::fork_to;
using explorer::wait_for;

TEST_GROUP_BASE(Forks, ProcessCase) {
    // Two processes that do the same at once, each with its own number.
    void two_that(std::function<void(int)> act) {
        for (int i = 0; i < 2; ++i) {
            callers_[i] = [act, i] { act(i); };
            explorer::add_process(callers_[i]);
        }
    }

    int64_t got[2];

private:
    explorer::Program callers_[2];
};

TEST(Forks, two_who_fork_get_two_children_with_two_numbers) {
    start();
    const explorer::Program child = [] {};
    two_that([&](int i) { got[i] = fork_to(child); });
    explore_all({.preemptions = 1, .most = 3'000, .random = 300}, [&] {
        EXPECT(got[0] > 0 && got[1] > 0 && got[0] != got[1]);
    });
}

TEST(Forks, of_two_who_fork_for_the_last_number_one_is_refused) {
    start(smallest_pid_max);
    const explorer::Program child = [] { call(SYS_getpid); };
    two_that([&](int i) { got[i] = fork_to(child); });
    std::vector<Pid> taken;
    while (pids_in_use() < smallest_pid_max - 1) {
        taken.push_back(pid_allocate().value());
    }
    explore_all({.preemptions = 1, .most = 3'000, .random = 300}, [&] {
        EXPECT(got[0] > 0 || got[1] > 0);
        for (const int64_t result : got) {
            EXPECT(result > 0 || result == error(Error::TryAgain));
        }
        for (const Pid pid : taken) {
            pid_release(pid, PidUse::Process);
        }
    });
}

TEST(Forks, of_two_who_fork_for_the_last_place_one_is_refused) {
    start();
    const explorer::Program child = [] { explorer::compute_for_ever(); };
    two_that([&](int i) {
        got[i] = fork_to(child);
        if (got[i] > 0) {
            EXPECT_EQUAL(0, call(SYS_kill, static_cast<uint64_t>(got[i]), FL_SIGKILL));
        }
    });
    process_limit_init(process_slots_taken() + 1);
    explore_all({.preemptions = 1, .most = 3'000, .random = 300}, [&] {
        EXPECT(got[0] > 0 || got[1] > 0);
    });
}

TEST(Forks, a_child_and_a_thread_made_while_the_niceness_changes_have_one_of_the_two) {
    start();
    static int8_t nice_of_child, nice_of_thread, nice_of_process;
    const explorer::Program child = [] {
        SpinGuard guard(families_lock);
        nice_of_child = current_proc().inherited.nice;
    };
    const explorer::Program second = [] {
        SpinGuard guard(families_lock);     // setpriority is over, or has not begun
        nice_of_thread = cpu::current_thread()->nice;
        nice_of_process = current_proc().inherited.nice;
    };
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child);
        EXPECT(explorer::start_thread(second) > 0);
        wait_for(pid);
    };
    const Pid pid = explorer::add_process(parent);
    const explorer::Program other = [pid] {
        const int64_t set = call(SYS_setpriority, 0, static_cast<uint64_t>(number(pid)), 7);
        EXPECT(set == 0 || set == error(Error::NoProcess));
    };
    explorer::add_process(other);
    bool seen[2] = {};
    explore_all({.most = 6'000, .random = 300}, [&] {
        EXPECT(nice_of_child == 0 || nice_of_child == 7);
        EXPECT_EQUAL(nice_of_process, nice_of_thread);
        seen[nice_of_child == 7] = true;
    });
    CHECK_TRUE(seen[0] && seen[1]);
}

TEST_GROUP_BASE(Exits, ProcessCase) {};

TEST(Exits, wait_gets_the_status_whoever_is_first) {
    start();
    const explorer::Program child = [] { exit_with(3); };
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child);
        const explorer::Waited waited = wait_for(-1);
        EXPECT_EQUAL(pid, waited.pid);
        EXPECT_EQUAL(status_of_exit(3), waited.status);
        EXPECT_EQUAL(error(Error::NoChild), wait_for(-1).pid);
    };
    explorer::add_process(parent);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Exits, wait_without_hanging_gets_nothing_or_the_status) {
    start();
    const explorer::Program child = [] { exit_with(3); };
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child);
        explorer::Waited waited = wait_for(pid, FL_WNOHANG);
        if (waited.pid == 0) {
            waited = wait_for(pid);
        }
        EXPECT_EQUAL(pid, waited.pid);
        EXPECT_EQUAL(status_of_exit(3), waited.status);
    };
    explorer::add_process(parent);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Exits, two_threads_that_wait_for_two_children_get_one_each) {
    start();
    int64_t got[2];
    const explorer::Program child = [] {};
    const explorer::Program thread = [&] { got[1] = call(SYS_wait4, static_cast<uint64_t>(-1)); };
    const explorer::Program parent = [&] {
        fork_to(child);
        fork_to(child);
        explorer::start_thread(thread);
        got[0] = call(SYS_wait4, static_cast<uint64_t>(-1));
        call(SYS_thread_exit);
    };
    explorer::add_process(parent);
    explore_all({.preemptions = 1, .most = 2'000, .random = 400}, [&] {
        EXPECT(got[0] > 0 && got[1] > 0 && got[0] != got[1]);
    });
}

TEST(Exits, children_of_a_parent_that_ignores_them_go_to_init) {
    start();
    const explorer::Program child = [] { exit_with(1); };
    const explorer::Program parent = [&] {
        {
            SpinGuard guard(current_proc().signals.lock);
            current_proc().signals.actions->actions[FL_SIGCHLD].handler = FL_SIG_IGN;
        }
        fork_to(child);
        // POSIX: wait blocks until all children have ended, and then says that there is none.
        EXPECT_EQUAL(error(Error::NoChild), wait_for(-1).pid);
    };
    explorer::add_process(parent);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Exits, a_child_that_ends_with_its_parent_is_collected_by_init) {
    start();
    const explorer::Program child = [] { exit_with(1); };
    const explorer::Program parent = [&] {
        fork_to(child);
        exit_with(2);
    };
    explorer::add_process(parent);
    explore_all({.most = 6'000, .random = 500});
}

TEST(Exits, three_generations_that_end_at_once_leave_nothing) {
    start();
    const explorer::Program grandchild = [] { exit_with(1); };
    const explorer::Program child = [&] { fork_to(grandchild); };
    const explorer::Program parent = [&] { fork_to(child); };
    explorer::add_process(parent);
    explore_all({.preemptions = 1, .most = 2'000, .random = 500});
}

TEST(Exits, kill_ends_a_child_that_computes_or_that_ends_by_itself) {
    start();
    const explorer::Program child = [] { exit_with(3); };
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child);
        EXPECT_EQUAL(0, call(SYS_kill, static_cast<uint64_t>(pid), FL_SIGKILL));
        const explorer::Waited waited = wait_for(pid);
        EXPECT_EQUAL(pid, waited.pid);
        EXPECT(waited.status == status_of_exit(3) || waited.status == status_of_signal(FL_SIGKILL));
    };
    explorer::add_process(parent);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Exits, two_threads_that_exit_at_once_end_the_process_once) {
    start();
    const explorer::Program thread = [] { exit_with(1); };
    const explorer::Program process = [&] {
        explorer::start_thread(thread);
        exit_with(2);
    };
    explorer::add_process(process);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Exits, the_last_of_two_threads_that_end_ends_the_process) {
    start();
    const explorer::Program thread = [] {};
    const explorer::Program process = [&] {
        explorer::start_thread(thread);
        call(SYS_thread_exit);
    };
    explorer::add_process(process);
    explore_all({.most = 4'000, .random = 300});
}

TEST_GROUP_BASE(Groups, ProcessCase) {};

TEST(Groups, a_child_is_moved_or_gone) {
    start();
    const explorer::Program child = [] { exit_with(0); };
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child);
        const int64_t moved = call(SYS_setpgid, static_cast<uint64_t>(pid), static_cast<uint64_t>(pid));
        EXPECT(moved == 0 || moved == error(Error::NoProcess));
        EXPECT_EQUAL(pid, wait_for(pid).pid);
    };
    explorer::add_process(parent);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Groups, a_child_moved_by_itself_and_by_its_parent_is_in_one_group) {
    start();
    const explorer::Program child = [] {
        EXPECT_EQUAL(0, call(SYS_setpgid, 0, 0));
        EXPECT_EQUAL(call(SYS_getpid), call(SYS_getpgid, 0));
    };
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child);
        const int64_t moved = call(SYS_setpgid, static_cast<uint64_t>(pid), static_cast<uint64_t>(pid));
        EXPECT(moved == 0 || moved == error(Error::NoProcess));
        EXPECT_EQUAL(pid, wait_for(pid).pid);
    };
    explorer::add_process(parent);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Groups, a_group_of_two_ends_with_its_last_member) {
    start();
    const explorer::Program member = [] { call(SYS_getpgid, 0); };
    const explorer::Program leader = [&] {
        EXPECT_EQUAL(0, call(SYS_setpgid, 0, 0));
        fork_to(member);
        exit_with(0);
    };
    explorer::add_process(leader);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Groups, a_child_forked_by_one_thread_while_another_begins_a_session_is_in_one_of_the_two) {
    start();
    const explorer::Program child = [] {
        const int64_t session = call(SYS_getsid, 0);
        const int64_t group = call(SYS_getpgid, 0);
        EXPECT((session == 0 && group == 0) || (session == call(SYS_getppid) && group == session) || call(SYS_getppid) == 1);
    };
    const explorer::Program thread = [] { EXPECT(call(SYS_setsid) > 0); };
    const explorer::Program process = [&] {
        explorer::start_thread(thread);
        fork_to(child);
        call(SYS_wait4, static_cast<uint64_t>(-1));
        call(SYS_thread_exit);
    };
    explorer::add_process(process);
    explore_all({.preemptions = 1, .most = 3'000, .random = 500});
}

TEST(Groups, a_signal_to_a_group_reaches_a_child_that_is_being_forked_or_it_was_too_early) {
    start();
    const explorer::Program child = [] { exit_with(0); };
    const explorer::Program parent = [&] {
        call(SYS_setpgid, 0, 0);
        fork_to(child);
        exit_with(0);
    };
    const Pid pid = explorer::add_process(parent);
    const explorer::Program killer = [pid] { call(SYS_kill, static_cast<uint64_t>(-static_cast<int64_t>(number(pid))), FL_SIGKILL); };
    explorer::add_process(killer);
    explore_all({.preemptions = 1, .most = 3'000, .random = 500});
}

TEST(Groups, a_child_that_begins_a_session_while_its_parent_moves_it_leads_its_own_group) {
    start();
    const explorer::Program child = [] {
        const int64_t session = call(SYS_setsid);
        EXPECT(session == call(SYS_getpid) || session == error(Error::NotPermitted));
        EXPECT_EQUAL(call(SYS_getpid), call(SYS_getpgid, 0));
    };
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child);
        const int64_t moved = call(SYS_setpgid, static_cast<uint64_t>(pid), static_cast<uint64_t>(pid));
        EXPECT(moved == 0 || moved == error(Error::NotPermitted) || moved == error(Error::NoProcess));
        EXPECT_EQUAL(pid, wait_for(pid).pid);
    };
    explorer::add_process(parent);
    explore_all({.most = 4'000, .random = 300});
}

TEST(Groups, who_joins_a_group_whose_last_member_ends_is_in_it_or_is_refused) {
    start();
    bool joined = false, refused = false;
    const explorer::Program leader = [] { EXPECT_EQUAL(0, call(SYS_setpgid, 0, 0)); };
    const int64_t group = number(explorer::add_process(leader));
    const explorer::Program other = [&] {
        const int64_t moved = call(SYS_setpgid, 0, static_cast<uint64_t>(group));
        EXPECT(moved == 0 || moved == error(Error::NotPermitted));
        EXPECT_EQUAL(moved == 0 ? group : 0, call(SYS_getpgid, 0));
        (moved == 0 ? joined : refused) = true;
    };
    explorer::add_process(other);
    explore_all({.most = 4'000, .random = 300});
    CHECK_TRUE(joined && refused);
}
