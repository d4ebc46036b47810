// Signals against masks, against the end of their target and against each other: none is lost, none is taken twice.
#include "schedules/process_cases.h"

#include "machine/user_access.h"
#include "mm/user_copy.h"

using explorer::call;

namespace {

// SIG_BLOCK or SIG_UNBLOCK of one signal.
void change_mask(int how, int signal) {
    const SignalSet set = signal_bit(signal);
    EXPECT(copy_out_value(explorer::scratch, set).ok());
    EXPECT_EQUAL(0, call(SYS_sigprocmask, static_cast<uint64_t>(how), explorer::scratch.value));
}

explorer::Program sender_of(int signal, Pid pid) {
    // It may have ended and been collected.
    return [=] {
        const int64_t sent = call(SYS_kill, static_cast<uint64_t>(number(pid)), static_cast<uint64_t>(signal));
        EXPECT(sent == 0 || sent == error(Error::NoProcess));
    };
}

}  // namespace

TEST_GROUP_BASE(Signals, ProcessCase) {
    void setup() override { start(); }
};

TEST(Signals, one_that_comes_while_it_is_blocked_is_taken_when_it_no_longer_is) {
    const explorer::Program target = [] {
        change_mask(FL_SIG_BLOCK, FL_SIGTERM);
        call(SYS_getpid);
        change_mask(FL_SIG_UNBLOCK, FL_SIGTERM);
        explorer::compute_for_ever();       // until the signal ends it
    };
    const explorer::Program sender = sender_of(FL_SIGTERM, explorer::add_process(target));
    explorer::add_process(sender);
    explore_all({.most = 6'000, .random = 300});
}

TEST(Signals, of_two_that_are_sent_at_once_neither_is_lost) {
    const explorer::Program target = [] {
        change_mask(FL_SIG_BLOCK, FL_SIGUSR1);
        change_mask(FL_SIG_BLOCK, FL_SIGUSR2);
        for (SignalSet pending = 0; pending != (signal_bit(FL_SIGUSR1) | signal_bit(FL_SIGUSR2));) {
            explorer::yield("wait for both");
            EXPECT_EQUAL(0, call(SYS_sigpending, explorer::scratch.value));
            EXPECT(user_access::copy_in(&pending, explorer::scratch, sizeof pending));
        }
    };
    const Pid pid = explorer::add_process(target);
    // One that comes before it is blocked ends the target, and that is all.
    const explorer::Program first = sender_of(FL_SIGUSR1, pid), second = sender_of(FL_SIGUSR2, pid);
    explorer::add_process(first);
    explorer::add_process(second);
    explore_all({.preemptions = 1, .most = 3'000, .random = 500});
}
