// Stop and continue against exit, wait and kill: who was stopped goes on, and nobody waits for ever.
#include "schedules/process_cases.h"

using explorer::call;
using explorer::exit_with;
using explorer::fork_to;
using explorer::wait_for;

namespace {

void send(int64_t pid, int signal) {
    const int64_t sent = call(SYS_kill, static_cast<uint64_t>(pid), static_cast<uint64_t>(signal));
    EXPECT(sent == 0 || sent == error(Error::NoProcess));
}

const explorer::Program child_that_exits = [] {
    call(SYS_getpid);
    exit_with(3);
};

}  // namespace

TEST_GROUP_BASE(Stops, ProcessCase) {
    void setup() override { start(); }
};

TEST(Stops, a_child_that_is_stopped_and_goes_on_ends_as_it_would_have) {
    const explorer::Program parent = [] {
        const int64_t pid = fork_to(child_that_exits);
        send(pid, FL_SIGSTOP);
        send(pid, FL_SIGCONT);
        EXPECT_EQUAL(status_of_exit(3), wait_for(pid).status);
    };
    explorer::add_process(parent);
    explore_all({.most = 3'000, .random = 300});
}

TEST(Stops, who_waits_for_a_stop_is_told_of_it_or_of_the_end) {
    bool stopped = false, ended = false;
    const explorer::Program parent = [&] {
        const int64_t pid = fork_to(child_that_exits);
        send(pid, FL_SIGSTOP);
        explorer::Waited waited = wait_for(pid, FL_WUNTRACED);
        EXPECT_EQUAL(pid, waited.pid);
        if (waited.status == status_of_exit(3)) {
            ended = true;
            return;
        }
        stopped = true;
        EXPECT_EQUAL(status_of_stop(FL_SIGSTOP), waited.status);
        send(pid, FL_SIGCONT);
        EXPECT_EQUAL(status_of_exit(3), wait_for(pid).status);
    };
    explorer::add_process(parent);
    explore_all({.most = 3'000, .random = 300});
    CHECK_TRUE(stopped && ended);
}

TEST(Stops, a_kill_ends_who_is_stopped_or_about_to) {
    const explorer::Program victim = [] { explorer::compute_for_ever(); };
    const Pid pid = explorer::add_process(victim);
    const explorer::Program stops = [pid] { send(number(pid), FL_SIGSTOP); };
    const explorer::Program kills = [pid] { send(number(pid), FL_SIGKILL); };
    explorer::add_process(stops);
    explorer::add_process(kills);
    explore_all({.preemptions = 1, .most = 2'000, .random = 500});
}

TEST(Stops, a_process_of_two_threads_stops_and_goes_on_as_a_whole) {
    const explorer::Program thread = [] { call(SYS_getpid); };
    const explorer::Program process = [&] {
        explorer::start_thread(thread);
        call(SYS_getpid);
        call(SYS_thread_exit);
    };
    const Pid pid = explorer::add_process(process);
    const explorer::Program other = [pid] {
        send(number(pid), FL_SIGSTOP);
        send(number(pid), FL_SIGCONT);
    };
    explorer::add_process(other);
    explore_all({.preemptions = 1, .most = 2'000, .random = 500});
}

TEST(Stops, a_lender_that_is_stopped_while_its_thread_is_lent_goes_on_when_it_may) {
    const explorer::Program lender = [] {
        if (call(SYS_vfork) == 0) {
            call(SYS_exit, 3);
        }
        EXPECT_EQUAL(status_of_exit(3), wait_for(-1).status);
    };
    const Pid pid = explorer::add_process(lender);
    const explorer::Program other = [pid] {
        send(number(pid), FL_SIGSTOP);
        send(number(pid), FL_SIGCONT);
    };
    explorer::add_process(other);
    explore_all({.most = 3'000, .random = 300});
}
