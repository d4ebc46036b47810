// Lab 4, the way back: each thing that the parent's thread must have again, by itself; and the ends of a loan.
#include "lending.h"

TEST_GROUP_BASE(VforkGivesBack, Lending){};

TEST(VforkGivesBack, the_registers_with_the_pid_of_the_child) {
    lend();
    frame = {};
    frame.x[5] = 99;
    frame.sp = 1;
    exit_child();
    UNSIGNED_LONGS_EQUAL_TEXT(3, frame.x[0], "x0: the child's pid");
    UNSIGNED_LONGS_EQUAL_TEXT(0, frame.x[1], "x1: it is the parent");
    UNSIGNED_LONGS_EQUAL_TEXT(55, frame.x[5], "x5");
    UNSIGNED_LONGS_EQUAL_TEXT(0x1000, frame.sp, "the stack pointer");
    UNSIGNED_LONGS_EQUAL_TEXT(program_counter, frame.pc, "the program counter");
    collect(static_cast<Pid>(3));
}

TEST(VforkGivesBack, the_signal_mask) {
    uthread().mask = signal_bit(FL_SIGUSR1);
    lend();
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1), uthread().mask, "the child begins with the parent's mask");
    uthread().mask = signal_bit(FL_SIGUSR2);
    exit_child();
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1), uthread().mask, "the parent's mask");
}

TEST(VforkGivesBack, the_pending_signals_of_the_very_thread) {
    uthread().mask = signal_bit(FL_SIGUSR1);
    uthread().pending = signal_bit(FL_SIGUSR1);
    Proc& child = lend();
    UNSIGNED_LONGS_EQUAL_TEXT(0, uthread().pending, "pending for the thread as the child");
    UNSIGNED_LONGS_EQUAL_TEXT(0, pending(child), "pending for the child");
    exit_child();
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1), uthread().pending, "pending for the parent's thread");
    UNSIGNED_LONGS_EQUAL_TEXT(0, pending(*parent), "pending for any thread of the parent");
    uthread().pending = 0;
}

// A fault whose handler waits while another handler blocks it stays pending; what that one calls may be vfork.
TEST(VforkGivesBack, what_a_pending_fault_was) {
    signal_fault(FL_SIGSEGV, 1, UserAddr(0x1234));
    uthread().mask = signal_bit(FL_SIGSEGV);
    lend();
    signal_fault(FL_SIGBUS, 2, UserAddr(0x9999));
    exit_child();
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGSEGV), uthread().pending, "pending for the parent's thread");
    UNSIGNED_LONGS_EQUAL_TEXT(0x1234, uthread().fault.address, "the address of the parent's fault");
    LONGS_EQUAL_TEXT(1, uthread().fault.code, "the code of the parent's fault");
    uthread().pending = 0;
}

TEST(VforkGivesBack, the_thread_pointer) {
    cpu::set_user_thread_pointer(0x7777);
    lend();
    UNSIGNED_LONGS_EQUAL_TEXT(0x7777, cpu::user_thread_pointer(), "the child begins with the parent's");
    cpu::set_user_thread_pointer(1);
    exit_child();
    UNSIGNED_LONGS_EQUAL_TEXT(0x7777, cpu::user_thread_pointer(), "TPIDR_EL0 of the parent");
    cpu::set_user_thread_pointer(0);
}

TEST(VforkGivesBack, the_floating_point_registers) {
    FpState in_registers{};
    in_registers.q[16] = 8;
    thread->uses_fp = true;
    thread->fp.q[16] = 7;                   // as of the last switch; since then the program went on
    host::fp_unsaved = in_registers;
    lend();
    in_registers.q[16] = 9;
    host::fp_unsaved = in_registers;        // the child's
    exit_child();
    fp_sync();                              // what a switch does
    CHECK_TRUE_TEXT(thread->uses_fp, "the thread uses floating point no more");
    UNSIGNED_LONGS_EQUAL_TEXT(8, thread->fp.q[16], "d8: 7 is older than the vfork, 9 is the child's");
}

TEST(VforkGivesBack, no_floating_point_registers_to_who_had_none) {
    FpState of_child{};
    of_child.q[16] = 9;
    lend();
    fp_first_use();
    host::fp_unsaved = of_child;
    exit_child();
    fp_sync();                              // what a switch does
    // A thread that uses none finds zeros at its first use.
    UNSIGNED_LONGS_EQUAL_TEXT(0, thread->uses_fp ? thread->fp.q[16] : 0, "d8: the parent had no floating point, 9 is the child's");
}

TEST(VforkGivesBack, the_assumed_identity_which_is_put_aside) {
    Ref<Credentials> mine = must(me().credentials->copy());
    uthread().assumed = mine;
    lend();
    must(call(sys_setuid, user));
    UNSIGNED_LONGS_EQUAL_TEXT(user, current_credentials()->effective_uid, "the child took another identity: it is in force");
    uthread().assumed = must(mine->copy());
    exit_child();
    POINTERS_EQUAL_TEXT(mine.get(), uthread().assumed.get(), "the identity that the parent's thread had assumed");
    UNSIGNED_LONGS_EQUAL(root_uid, current_credentials()->effective_uid);
    uthread().assumed.reset();
}

TEST(VforkGivesBack, the_directory_of_the_thread_which_is_put_aside) {
    enter_directory("/tmp");
    Ref<Vnode> mine = current_directory();
    enter_directory("/");
    uthread().directory = mine;
    Proc& child = lend();
    POINTERS_EQUAL_TEXT(mine.get(), current_directory().get(), "the child begins in the thread's directory");
    enter_directory("/");
    CHECK_TRUE_TEXT(current_directory().get() != mine.get(), "the child entered another directory, but is not there");
    CHECK_TRUE_TEXT(child.directory.get() != mine.get(), "the directory that the child entered is the child's");
    exit_child();
    POINTERS_EQUAL_TEXT(mine.get(), uthread().directory.get(), "the directory that the parent's thread had");
    uthread().directory.reset();
}

TEST(VforkGivesBack, nothing_of_a_call_that_a_signal_broke_off) {
    lend();
    uthread().mask_before_suspend = signal_bit(FL_SIGUSR2);
    uthread().restarts_call = true;
    exit_child();
    CHECK_FALSE_TEXT(uthread().mask_before_suspend.has_value(), "the child's sigsuspend is still under way");
    CHECK_FALSE_TEXT(uthread().restarts_call, "the child's system call would be made again by the parent");
}

TEST_GROUP_BASE(VforkEnds, Lending){};

TEST(VforkEnds, exit_leaves_a_zombie_with_its_status_to_wait_for) {
    Proc& child = lend();
    exit_child(7);
    CHECK_TRUE_TEXT(child.state == ProcState::Zombie, "the child is no zombie");
    LONGS_EQUAL_TEXT(status_of_exit(7), child.wait_status, "the child's status");
    CHECK_TRUE_TEXT(parent->state == ProcState::Running, "the parent does not run");
    collect(static_cast<Pid>(3));
    CHECK_FALSE_TEXT(pid_in_use(static_cast<Pid>(3)), "the child was waited for, but its pid is in use");
    must_fail(Error::NoChild, host::collect(me(), static_cast<Pid>(3)));
}

// The first thread of the list is told of a signal, unless it is lent: who is told of the SIGCHLD says which came first.
TEST(VforkEnds, the_thread_is_home_before_the_child_can_be_waited_for) {
    catch_signal(*parent, FL_SIGCHLD);
    Thread& second = second_thread();
    lend();
    thread->done(ReturnWork::Signal);
    exit_child();
    CHECK_TRUE_TEXT((pending(*parent) & signal_bit(FL_SIGCHLD)) != 0, "the parent was not told of the end of its child");
    CHECK_FALSE_TEXT(second.asked(ReturnWork::Signal), "the child was a zombie while the thread was on loan to it");
    CHECK_TRUE_TEXT(thread->asked(ReturnWork::Signal), "the thread that came home does not look for the SIGCHLD");
    forget_pending(*parent);
}

TEST(VforkEnds, exec_gives_the_child_a_body_and_the_parent_its_thread) {
    Proc& child = lend();
    const Pid pid = child.pid;
    must(execute("/tmp/program"));
    expect_home();
    POINTERS_EQUAL_TEXT(thread, cpu::current_thread(), "the thread that runs");
    UNSIGNED_LONGS_EQUAL_TEXT(3, frame.x[0], "x0 of the parent: the child's pid");
    UNSIGNED_LONGS_EQUAL_TEXT(program_counter, frame.pc, "the program counter of the parent");
    UNSIGNED_LONGS_EQUAL_TEXT(0, parent->loans, "loans of the parent");
    POINTERS_EQUAL_TEXT(nullptr, child.lent_thread, "the thread lent to the child");
    CHECK_TRUE_TEXT(child.task && child.state == ProcState::Running, "the child does not run in a task of its own");
    thread->done(ReturnWork::Signal);
    signal_process(child, {.signal = FL_SIGTERM});
    CHECK_FALSE_TEXT(thread->asked(ReturnWork::Signal), "the parent's thread was told of a signal to the child");
    CHECK_TRUE_TEXT(host::thread_of(child).asked(ReturnWork::Signal), "the child's thread was not told of its signal");
    host::end(child, 0);
    collect(pid);
}

TEST(VforkEnds, a_failed_exec_leaves_the_child_on_the_loan) {
    Proc& child = lend();
    must_fail(Error::NoEntry, execute("/tmp/nothing"));
    must_fail(Error::NotExecutable, execute("/tmp/no_program"));
    POINTERS_EQUAL_TEXT(&child, &me(), "who the thread acts for");
    UNSIGNED_LONGS_EQUAL_TEXT(1, parent->loans, "loans of the parent");
    exit_child(3);
    LONGS_EQUAL_TEXT(status_of_exit(3), child.wait_status, "the child's status");
}

TEST(VforkEnds, a_fatal_signal_to_the_child_ends_the_loan_and_not_the_parent) {
    Proc& child = lend();
    signal_process(child, {.signal = FL_SIGTERM});
    deliver_signals(frame);
    expect_home();
    UNSIGNED_LONGS_EQUAL_TEXT(3, frame.x[0], "x0 of the parent: the child's pid");
    CHECK_TRUE_TEXT(child.state == ProcState::Zombie, "the child is no zombie");
    LONGS_EQUAL_TEXT(status_of_signal(FL_SIGTERM), child.wait_status, "the child's status");
    CHECK_TRUE_TEXT(parent->state == ProcState::Running, "the parent does not run");
}

TEST(VforkEnds, a_killed_parent_ends_after_its_child) {
    Proc& child = lend();
    signal_process(*parent, {.signal = FL_SIGKILL});
    CHECK_TRUE_TEXT(thread->asked(ReturnWork::Kill), "a lent thread hears of a SIGKILL to its process");
    host::set_current(outside());
    CHECK_TRUE_TEXT(host::ends_in(*thread, [&] { deliver_signals(frame); }), "the killed parent's thread goes on");
    CHECK_TRUE_TEXT(child.state == ProcState::Zombie, "the child is no zombie");
    CHECK_TRUE_TEXT(parent->state == ProcState::Zombie, "the parent is no zombie");
    POINTERS_EQUAL_TEXT(&host::init(), child.parent, "who waits for the child now");
    LONGS_EQUAL_TEXT(status_of_signal(FL_SIGKILL), child.wait_status, "the child's status");
    LONGS_EQUAL_TEXT(status_of_signal(FL_SIGKILL), parent->wait_status, "the parent's status");
}

TEST_GROUP_BASE(VforkSignals, Lending){};

TEST(VforkSignals, to_the_parent_wait_until_its_thread_is_home) {
    Proc& child = lend();
    thread->done(ReturnWork::Signal);
    signal_process(*parent, {.signal = FL_SIGUSR1});
    CHECK_FALSE_TEXT(thread->asked(ReturnWork::Signal), "the thread runs as the child, and was told of a signal to the parent");
    UNSIGNED_LONGS_EQUAL_TEXT(0, pending(child), "pending for the child");
    exit_child();
    CHECK_TRUE_TEXT(thread->asked(ReturnWork::Signal), "the thread is home and does not look for signals");
    CHECK_TRUE_TEXT((pending(*parent) & signal_bit(FL_SIGUSR1)) != 0, "the parent's signal is lost");
    forget_pending(*parent);
}

TEST(VforkSignals, to_the_parent_are_taken_by_another_of_its_threads) {
    Thread& second = second_thread();
    signal_process(*parent, {.signal = FL_SIGUSR1});
    CHECK_TRUE(thread->asked(ReturnWork::Signal) && !second.asked(ReturnWork::Signal));
    lend();
    CHECK_TRUE_TEXT(second.asked(ReturnWork::Signal), "the thread that was told of a signal is lent now; nobody else was told");
    second.done(ReturnWork::Signal);
    thread->done(ReturnWork::Signal);
    signal_process(*parent, {.signal = FL_SIGUSR2});
    CHECK_TRUE_TEXT(second.asked(ReturnWork::Signal), "a signal that comes during the loan is for the other thread");
    CHECK_FALSE_TEXT(thread->asked(ReturnWork::Signal), "the thread runs as the child, and was told of a signal to the parent");
    exit_child();
    forget_pending(*parent);
}

TEST(VforkSignals, to_the_child_reach_the_thread_that_runs_as_it) {
    Proc& child = lend();
    thread->done(ReturnWork::Signal);
    signal_process(child, {.signal = FL_SIGUSR1});
    CHECK_TRUE_TEXT(thread->asked(ReturnWork::Signal), "nobody was told of a signal to the child");
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1), pending(child), "pending for the child");
    UNSIGNED_LONGS_EQUAL_TEXT(0, pending(*parent), "pending for the parent");
    exit_child();
    UNSIGNED_LONGS_EQUAL_TEXT(0, pending(*parent), "pending for the parent when its thread is home");
}

TEST(VforkSignals, pending_for_the_thread_as_the_child_stay_with_the_child) {
    Proc& child = lend();
    const Pid pid = child.pid;
    uthread().mask = signal_bit(FL_SIGUSR1) | signal_bit(FL_SIGUSR2);
    uthread().pending = signal_bit(FL_SIGUSR2);
    signal_process(child, {.signal = FL_SIGUSR1});
    must(execute("/tmp/program"));
    expect_home();
    UNSIGNED_LONGS_EQUAL_TEXT(0, uthread().pending, "pending for the parent's thread");
    UNSIGNED_LONGS_EQUAL_TEXT(0, pending(*parent), "pending for the parent");
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1) | signal_bit(FL_SIGUSR2), pending(child), "pending for the child: of the process, and of its thread");
    POINTERS_EQUAL_TEXT(nullptr, child.lent_thread, "the thread lent to the child");
    host::end(child, 0);
    collect(pid);
}

TEST(VforkSignals, a_parent_that_was_stopped_meanwhile_stops_when_the_thread_is_home) {
    lend();
    {
        SpinGuard guard(parent->signals.lock);
        parent->signals.stopped = true;
    }
    thread->done(ReturnWork::Stop);
    exit_child();
    CHECK_TRUE_TEXT(thread->asked(ReturnWork::Stop), "the parent is stopped, and its thread runs on");
    SpinGuard guard(parent->signals.lock);
    parent->signals.stopped = false;
}
