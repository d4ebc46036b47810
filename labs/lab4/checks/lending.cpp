// Lab 4, the way out: what vfork lends, how it is counted, when the child is shown, what is refused.
#include <atomic>
#include <thread>

#include "grader/runner/host_check.h"
#include "lending.h"

TEST_GROUP_BASE(VforkLends, Lending){};

TEST(VforkLends, the_thread_runs_on_as_a_child_with_its_own_pid) {
    must(vfork(frame));
    POINTERS_EQUAL_TEXT(thread, cpu::current_thread(), "the thread that runs");
    CHECK_TRUE_TEXT(&me() != parent, "the thread acts for its own process, not for the child");
    UNSIGNED_LONGS_EQUAL_TEXT(3, must(call(sys_getpid)), "the pid of the child");
    UNSIGNED_LONGS_EQUAL_TEXT(2, must(call(sys_getppid)), "the pid of its parent");
    finish_child();
}

TEST(VforkLends, the_child_sees_zero_and_one_and_else_the_parents_registers) {
    frame.x[0] = 77;
    frame.x[1] = 78;
    lend();
    UNSIGNED_LONGS_EQUAL_TEXT(0, frame.x[0], "x0: vfork returned 0");
    UNSIGNED_LONGS_EQUAL_TEXT(1, frame.x[1], "x1: it is the child");
    UNSIGNED_LONGS_EQUAL_TEXT(55, frame.x[5], "x5");
    UNSIGNED_LONGS_EQUAL_TEXT(0x1000, frame.sp, "the stack pointer");
    UNSIGNED_LONGS_EQUAL_TEXT(program_counter, frame.pc, "the program counter");
    finish_child();
    UNSIGNED_LONGS_EQUAL_TEXT(0, must(call(sys_vfork, 9)), "the system call's result is the child's");
    finish_child();
}

TEST(VforkLends, makes_no_thread_no_task_and_copies_no_page) {
    touch_memory();
    const size_t anonymous = pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value;
    const size_t tables = pages::stats().by_use[static_cast<size_t>(PageUse::PageTable)].value;
    const uint64_t threads = Thread::count();
    Proc& child = lend();
    CHECK_FALSE_TEXT(static_cast<bool>(child.task), "the child has a task");
    UNSIGNED_LONGS_EQUAL_TEXT(anonymous, pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value, "pages of programs");
    UNSIGNED_LONGS_EQUAL_TEXT(tables, pages::stats().by_use[static_cast<size_t>(PageUse::PageTable)].value, "pages of tables");
    UNSIGNED_LONGS_EQUAL_TEXT(threads, Thread::count(), "threads");
    finish_child();
}

TEST(VforkLends, the_child_is_complete_and_everybody_finds_it) {
    const uint64_t forks = forks_ever();
    Proc& child = lend();
    POINTERS_EQUAL_TEXT(&child, host::find_process(child.pid), "who is found by the child's pid");
    POINTERS_EQUAL_TEXT(thread, child.lent_thread, "the thread that runs as the child");
    POINTERS_EQUAL_TEXT(parent, child.parent, "the child's parent");
    CHECK_TRUE_TEXT(child.state == ProcState::Running, "the child's state is not Running");
    CHECK_TRUE_TEXT(child.group == parent->group, "the child is not in its parent's group");
    UNSIGNED_LONGS_EQUAL_TEXT(forks + 1, forks_ever(), "forks so far");
    finish_child();
}

// publish counts the fork and then wants families_lock. Another core holds that, and looks how far the child is meanwhile.
TEST(VforkLends, shows_the_child_only_when_it_is_complete) {
    constexpr int most_looks = 1'000'000;       // a solution may want the lock for something else before: then nothing is seen
    const uint64_t forks = forks_ever();
    std::atomic<bool> holds{false}, returned{false};
    bool loan_missing = false, thread_missing = false;
    std::thread other([&] {
        SpinGuard guard(families_lock);
        holds = true;
        for (int look = 0; look < most_looks && !returned; ++look) {
            if (forks_ever() != forks) {
                loan_missing = !thread->uthread->loan.has_value();
                thread_missing = !loan_missing && thread->uthread->loan->child().lent_thread != thread;
                return;
            }
            std::this_thread::yield();
        }
    });
    while (!holds) {
        std::this_thread::yield();
    }
    const bool lent = vfork(frame).ok();
    returned = true;
    other.join();
    CHECK_TRUE_TEXT(lent && uthread().loan.has_value(), "vfork failed, or the thread has no loan");
    CHECK_FALSE_TEXT(loan_missing, "the child is shown before the thread has its loan");
    CHECK_FALSE_TEXT(thread_missing, "the child is shown before it knows the thread that runs as it");
    finish_child();
}

TEST(VforkLends, counts_the_loans_of_the_lender_while_they_last) {
    Thread& second = second_thread();
    Proc& child = lend();
    UNSIGNED_LONGS_EQUAL_TEXT(1, parent->loans, "loans of the parent");
    UNSIGNED_LONGS_EQUAL_TEXT(0, child.loans, "loans of the child");
    {
        host::Acting acting(second);
        lend();
        UNSIGNED_LONGS_EQUAL_TEXT(2, parent->loans, "loans of the parent when its second thread is lent too");
        exit_child();
    }
    UNSIGNED_LONGS_EQUAL_TEXT(1, parent->loans, "loans when the second thread is back");
    finish_child();
    UNSIGNED_LONGS_EQUAL_TEXT(0, parent->loans, "loans when both are back");
}

// Threads of one process are lent and come home on several cores at once. Two locks of one rank are never held together: with
// another process's in hand, whoever takes the lender's panics, and whoever takes none does not.
TEST(VforkLends, counts_under_the_lock_of_the_lenders_signals) {
    Proc& another = host::init();
    must_panic([&] {
        SpinGuard guard(another.signals.lock);
        proc_vfork_begin(*parent);
    });
    proc_vfork_begin(*parent);
    must_panic([&] {
        SpinGuard guard(another.signals.lock);
        proc_vfork_end(*parent);
    });
    UNSIGNED_LONGS_EQUAL_TEXT(1, parent->loans, "loans");
    proc_vfork_end(*parent);
}

TEST(VforkLends, a_thread_given_back_that_was_never_lent_panics) {
    proc_vfork_begin(*parent);
    proc_vfork_end(*parent);
    MUST_PANIC(proc_vfork_end(*parent));
}

TEST_GROUP_BASE(VforkRefuses, Lending) {
    // What the thread has of its own, and what must still be there when vfork failed.
    Ref<Credentials> identity;
    Ref<Vnode> directory;
    UserFrame before{};

    void give_the_thread_its_own() {
        enter_directory("/tmp");
        identity = must(me().credentials->copy());
        directory = current_directory();
        uthread().assumed = identity;
        uthread().directory = directory;
        uthread().mask = signal_bit(FL_SIGUSR1);
        uthread().pending = signal_bit(FL_SIGUSR1);
        cpu::set_user_thread_pointer(0x7777);
        before = frame;
    }
    void expect_all_as_before() {
        POINTERS_EQUAL_TEXT(parent, &me(), "who the thread acts for");
        CHECK_FALSE_TEXT(uthread().loan.has_value(), "vfork failed, but the thread has a loan");
        UNSIGNED_LONGS_EQUAL_TEXT(0, parent->loans, "loans");
        POINTERS_EQUAL_TEXT(identity.get(), uthread().assumed.get(), "the thread's identity");
        POINTERS_EQUAL_TEXT(directory.get(), uthread().directory.get(), "the thread's directory");
        UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1), uthread().mask, "the thread's mask");
        UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1), uthread().pending, "the thread's pending signals");
        UNSIGNED_LONGS_EQUAL_TEXT(0x7777, cpu::user_thread_pointer(), "the thread pointer");
        MEMCMP_EQUAL_TEXT(&before, &frame, sizeof frame, "the registers");
    }
    void take_its_own_away() {
        identity.reset();
        directory.reset();
        uthread().assumed.reset();
        uthread().directory.reset();
        uthread().pending = 0;
        uthread().mask = 0;
        cpu::set_user_thread_pointer(0);
    }
};

TEST(VforkRefuses, a_second_vfork_on_loan_and_takes_nothing) {
    Proc& child = lend();
    const UserFrame frame_before = frame;
    Ledger ledger;
    References of_child(child), of_parent(*parent);
    must_fail(Error::Invalid, vfork(frame));
    POINTERS_EQUAL_TEXT(&child, &me(), "who the thread acts for");
    UNSIGNED_LONGS_EQUAL_TEXT(1, parent->loans, "loans of the parent");
    UNSIGNED_LONGS_EQUAL_TEXT(0, child.loans, "loans of the child");
    MEMCMP_EQUAL_TEXT(&frame_before, &frame, sizeof frame, "the registers");
    ledger.check();
    of_child.check();
    of_parent.check();
    finish_child();
}

TEST(VforkRefuses, with_what_the_policy_says) {
    set_fork_policy([](Proc&) -> Result<> { return Error::AccessDenied; });
    give_the_thread_its_own();
    Ledger ledger;
    References references(me());
    must_fail(Error::AccessDenied, vfork(frame));
    expect_all_as_before();
    ledger.check();
    references.check();
    take_its_own_away();
}

TEST(VforkRefuses, when_the_user_has_as_many_processes_as_he_may) {
    ForkloreLimit limit{1, 1};
    must(space().store(data, &limit, sizeof limit));
    must(call(sys_setrlimit, FL_RLIMIT_NPROC, data.value));
    must(call(sys_setuid, user));
    Ledger ledger;
    must_fail(Error::TryAgain, vfork(frame));
    CHECK_FALSE_TEXT(uthread().loan.has_value(), "vfork failed, but the thread has a loan");
    ledger.check();
}

// Each step that can fail does so once; in which order they are asked is the kernel's own business.
TEST(VforkRefuses, each_error_leaves_nothing_behind) {
    lend();
    finish_child();             // each zone has an element at hand
    give_the_thread_its_own();
    References references(me());
    uint64_t steps = sweep(
        [&] {
            Result<> result = vfork(frame);
            if (!result.ok()) {
                expect_all_as_before();
            }
            return result;
        },
        [&](Result<>&) {
            CHECK_TRUE_TEXT(uthread().loan.has_value(), "vfork succeeded, but the thread has no loan");
            finish_child();
        },
        [&](uint64_t step, Error error) {
            CHECK_TRUE_TEXT(step < 50, "vfork fails whatever is there");
            CHECK_TRUE_TEXT(error == Error::TryAgain || error == Error::NotPermitted || error == Error::NoMemory,
                            "an error that none of the steps gives");
        });
    CHECK_TRUE_TEXT(steps >= 3, "a slot, a pid and memory are wanted: each can fail");
    references.check();
    take_its_own_away();
}
