// Alarms that ring while their process ends, is killed or turns them off. Time passes when all sleep: who is to meet the alarm
// sleeps until the same time.
#include "machine/user_access.h"
#include "mm/user_copy.h"
#include "schedules/process_cases.h"

using explorer::call;

namespace {

constexpr int64_t ring = 200'000;   // nanoseconds from the start, when nothing has slept yet; an alarm comes after 100,000 at the earliest

void set_alarm(int64_t nanoseconds, int64_t interval = 0) {
    const ForkloreTimer timer{.interval = {.seconds = 0, .nanoseconds = interval}, .value = {.seconds = 0, .nanoseconds = nanoseconds}};
    EXPECT(copy_out_value(explorer::scratch, timer).ok());
    EXPECT_EQUAL(0, call(SYS_setitimer, 0, explorer::scratch.value, 0));
}

void sleep_until_it_rings() {
    constexpr UserAddr time = explorer::scratch + 512;
    EXPECT(copy_out_value(time, ForkloreTime{.seconds = 0, .nanoseconds = ring}).ok());
    const int64_t slept = call(SYS_nanosleep, time.value, 0);
    EXPECT(slept == 0 || slept == error(Error::Interrupted));
}

void sleep_for_ever() {
    constexpr UserAddr mask = explorer::scratch + 768;
    EXPECT(copy_out_value(mask, SignalSet{0}).ok());
    call(SYS_sigsuspend, mask.value);
    explorer::fail("a signal that ends the process did not");
}

}  // namespace

TEST_GROUP_BASE(Alarms, ProcessCase) {
    void setup() override { start(); }
};

TEST(Alarms, one_that_rings_ends_who_sleeps) {
    const explorer::Program child = [] {
        set_alarm(ring);
        sleep_for_ever();
    };
    const explorer::Program parent = [&] {
        const int64_t pid = explorer::fork_to(child);
        EXPECT_EQUAL(status_of_signal(FL_SIGALRM), explorer::wait_for(pid).status);
    };
    explorer::add_process(parent);
    explore_all({.most = 3'000, .random = 300});
}

TEST(Alarms, one_that_rings_while_its_process_is_killed_finds_a_process_or_none) {
    const explorer::Program sleeper = [] {
        set_alarm(ring);
        sleep_for_ever();
    };
    const Pid pid = explorer::add_process(sleeper);
    const explorer::Program killer = [pid] {
        sleep_until_it_rings();
        const int64_t sent = call(SYS_kill, static_cast<uint64_t>(number(pid)), FL_SIGKILL);
        EXPECT(sent == 0 || sent == error(Error::NoProcess));
    };
    explorer::add_process(killer);
    explore_all({.most = 3'000, .random = 500});
}

TEST(Alarms, one_that_rings_while_its_process_exits_does_not_outlive_it) {
    const explorer::Program process = [] {
        set_alarm(ring);
        sleep_until_it_rings();
        explorer::exit_with(3);
    };
    explorer::add_process(process);
    explore_all({.most = 3'000, .random = 300});
}

TEST(Alarms, one_that_rings_again_and_again_does_not_outlive_its_process) {
    const explorer::Program process = [] {
        set_alarm(ring, ring);
        sleep_until_it_rings();
        explorer::exit_with(3);
    };
    explorer::add_process(process);
    explore_all({.most = 3'000, .random = 300});
}

TEST(Alarms, one_that_is_turned_off_as_it_rings_has_ended_the_process_or_never_does) {
    bool rang = false, silent = false;
    const explorer::Program child = [] {
        set_alarm(ring);
        sleep_until_it_rings();
        set_alarm(0);
        explorer::exit_with(3);
    };
    const explorer::Program parent = [&] {
        const int64_t pid = explorer::fork_to(child);
        const int status = explorer::wait_for(pid).status;
        EXPECT(status == status_of_exit(3) || status == status_of_signal(FL_SIGALRM));
        (status == status_of_exit(3) ? silent : rang) = true;
    };
    explorer::add_process(parent);
    explore_all({.most = 3'000, .random = 300});
    CHECK_TRUE(rang && silent);
}
