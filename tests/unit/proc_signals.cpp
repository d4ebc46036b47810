// Signals on the host: what SIGCHLD tells of a child, whom a number means, and what init does not hear.
#include <limits>

#include "kernel/proc/calls.h"
#include "kernel/proc/stop.h"
#include "proc_support.h"

TEST_GROUP_BASE(Signals, ProcessTest) {
    static constexpr uint64_t handler = 0x1234;

    void setup() override {
        ProcessTest::setup();
        me().signals.actions->actions[FL_SIGCHLD].handler = handler;
    }
    void expect_told(Pid child, int code, int status) {
        SpinGuard guard(me().signals.lock);
        const ForkloreSiginfo& info = me().signals.info[FL_SIGCHLD];
        CHECK_TRUE((me().signals.pending & signal_bit(FL_SIGCHLD)) != 0);
        LONGS_EQUAL(number(child), info.pid);
        LONGS_EQUAL(code, info.code);
        LONGS_EQUAL(status, info.status);
    }
    void end_with(int wait_status, int code, int status) {
        const Pid child = forked().pid;
        host::end(find(child), wait_status);
        expect_told(child, code, status);
        collect(child);
    }
};

TEST(Signals, sigchld_tells_how_a_child_ended) {
    end_with(status_of_exit(7), FL_CLD_EXITED, 7);
    end_with(status_of_signal(FL_SIGTERM), FL_CLD_KILLED, FL_SIGTERM);
}

TEST(Signals, sigchld_tells_of_a_stop_and_a_continue) {
    Proc& child = forked();
    must(call(sys_kill, number(child.pid), FL_SIGSTOP));
    CHECK_TRUE(begin_stop(child, FL_SIGSTOP));
    expect_told(child.pid, FL_CLD_STOPPED, FL_SIGSTOP);
    must(call(sys_kill, number(child.pid), FL_SIGCONT));
    CHECK_FALSE(begin_stop(child, FL_SIGTSTP));     // who comes first tells of the continue
    expect_told(child.pid, FL_CLD_CONTINUED, FL_SIGCONT);
    finish(child);
}

TEST(Signals, to_the_lowest_number_mean_no_group) {
    const auto lowest = static_cast<uint64_t>(std::numeric_limits<int32_t>::min());
    must_fail(Error::NoProcess, call(sys_kill, lowest, FL_SIGTERM));
    const Pid child = forked().pid;
    must_fail(Error::NoChild, call(sys_wait4, lowest, 0, FL_WNOHANG, 0));
    finish(find(child));
}

TEST(Signals, that_init_does_not_catch_are_nothing_to_it) {
    Proc& init = host::init();
    for (const int signal : {FL_SIGKILL, FL_SIGSTOP, FL_SIGUSR1}) {
        must(call(sys_kill, number(Pid::Init), static_cast<uint64_t>(signal)));
    }
    UNSIGNED_LONGS_EQUAL(0, init.signals.pending);
    CHECK_FALSE(host::thread_of(init).asked(ReturnWork::Kill));
    init.signals.actions->actions[FL_SIGUSR1].handler = handler;
    must(call(sys_kill, number(Pid::Init), FL_SIGUSR1));
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), init.signals.pending);
    init.signals.actions->actions[FL_SIGUSR1] = {};
}

TEST(Signals, the_priority_of_user_zero_is_that_of_the_callers_user) {
    Proc& child = forked();
    {
        Ref<Credentials> own = must(child.credentials->copy());
        own->real_uid = own->effective_uid = user;
        std::swap(child.credentials, own);
    }
    child.inherited.nice = 5;
    host::set_current(host::thread_of(child));
    UNSIGNED_LONGS_EQUAL(20 - 5, must(call(sys_getpriority, 2, 0)));
}
