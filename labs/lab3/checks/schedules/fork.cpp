// Lab 3 in every order of a few cores (docs/testing.md): what others change while a process forks, and who sees the child when.
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "mm/user_copy.h"
#include "schedules/process_cases.h"

using explorer::call;
using explorer::fork_to;

namespace {

const UserAddr others_scratch = explorer::scratch + 512;      // wait_for uses the start of the page

}  // namespace

TEST_GROUP_BASE(ForkCores, ProcessCase) {
    // One thread of a process forks, and another one does `other` meanwhile.
    void fork_beside(const explorer::Program& other, const explorer::Options& options) {
        start();
        const explorer::Program child = [] {};
        const explorer::Program parent = [&] {
            explorer::start_thread(other);
            const int64_t pid = fork_to(child);
            EXPECT(pid > 0);
            EXPECT_EQUAL(pid, explorer::wait_for(pid).pid);
            call(SYS_thread_exit);
        };
        explorer::add_process(parent);
        explore_all(options);
    }
};

TEST(ForkCores, the_last_place_goes_to_one_and_the_other_is_told) {
    start();
    int64_t got[2];
    const explorer::Program child = [] { explorer::compute_for_ever(); };
    auto fork_and_kill = [&](int i) {
        got[i] = fork_to(child);
        if (got[i] > 0) {
            EXPECT_EQUAL(0, call(SYS_kill, static_cast<uint64_t>(got[i]), FL_SIGKILL));
        }
    };
    const explorer::Program first = [&] { fork_and_kill(0); };
    const explorer::Program second = [&] { fork_and_kill(1); };
    explorer::add_process(first);
    explorer::add_process(second);
    process_limit_init(process_slots_taken() + 1);
    explore_all({.preemptions = 1, .most = 10'000}, [&] {
        EXPECT(got[0] > 0 || got[1] > 0);
        for (const int64_t result : got) {
            EXPECT(result > 0 || result == error(Error::TryAgain));
        }
    });
}

TEST(ForkCores, two_children_that_are_published_at_once_are_both_counted) {
    start();
    explore({.most = 3'000, .relaxed = true}, [] {
        Proc& init = [&]() -> Proc& {
            SpinGuard guard(families_lock);
            return *find_process_locked(Pid::Init);
        }();
        Proc* children[2];
        for (Proc*& child : children) {
            child = forkproc(init, ProcSlot::reserve(*init.credentials, FL_RLIM_INFINITY).value()).value().release();
        }
        const uint64_t before = forks_ever();
        explorer::thread("first", [&] { publish(init, *children[0]); });
        explorer::thread("second", [&] { publish(init, *children[1]); });
        explorer::run();
        EXPECT_EQUAL(before + 2, forks_ever());
        EXPECT(explorer::process_exists(children[0]->pid) && explorer::process_exists(children[1]->pid));
    });
}

// Another thread of the parent collects any child: it may be gone before fork has come back.
TEST(ForkCores, a_child_that_is_collected_at_once_is_touched_no_more) {
    start();
    int64_t forked = 0, collected = 0;
    const explorer::Program child = [] {};
    const explorer::Program collector = [&] {
        while ((collected = call(SYS_wait4, static_cast<uint64_t>(-1))) == error(Error::NoChild)) {
            explorer::yield("look for a child again");
        }
    };
    const explorer::Program parent = [&] {
        explorer::start_thread(collector);
        forked = fork_to(child);
        call(SYS_thread_exit);
    };
    explorer::add_process(parent);
    explore_all({.preemptions = 1, .most = 1'500}, [&] { EXPECT(forked > 0 && forked == collected); });
}

TEST(ForkCores, a_thread_that_changes_a_signal_action_does_not_get_in_between) {
    const explorer::Program other = [] {
        ForkloreSigaction action{};
        EXPECT(copy_out_value(others_scratch, action).ok());
        EXPECT_EQUAL(0, call(SYS_sigaction, FL_SIGUSR1, others_scratch.value, 0));
    };
    fork_beside(other, {.preemptions = 1, .most = 1'000});
}

TEST(ForkCores, a_thread_that_changes_the_directory_does_not_get_in_between) {
    const explorer::Program other = [] {
        const char path[2] = {'/', 0};
        EXPECT(copy_out_value(others_scratch, path).ok());
        EXPECT_EQUAL(0, call(SYS_chdir, others_scratch.value));
    };
    fork_beside(other, {.preemptions = 1, .most = 4'000});
}
