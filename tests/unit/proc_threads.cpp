// Threads' Unix half, and the small calls that take something: threads, groups, sessions, descriptors.
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "kernel/proc/sys_files.h"
#include "kernel/sched.h"
#include "proc_support.h"

TEST_GROUP_BASE(UThreads, ProcessTest) {
    ZoneOwned<Thread> thread;

    void setup() override {
        ProcessTest::setup();
        thread = must(thread_create("made"));
    }
    void teardown() override {
        thread.reset();
        ProcessTest::teardown();
    }
    ZoneOwned<UThread> made(Proc& proc, UThreadOptions options = {}) {
        return must(uthread_alloc(*thread, proc, &current_uthread(), options));
    }
};

TEST(UThreads, inherit_an_assumed_identity_within_one_task) {
    current_uthread().assumed = must(me().credentials->copy());
    ZoneOwned<UThread> uthread = made(me());
    POINTERS_EQUAL(current_uthread().assumed.get(), uthread->assumed.get());
}

TEST(UThreads, of_another_process_take_that_processes_identity) {
    current_uthread().assumed = must(me().credentials->copy());
    ZoneOwned<UThread> uthread = made(forked());
    CHECK_FALSE(static_cast<bool>(uthread->assumed));
}

TEST(UThreads, inherit_the_mask) {
    current_uthread().mask = signal_bit(FL_SIGINT);
    ZoneOwned<UThread> uthread = made(me());
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGINT), uthread->mask);
    UNSIGNED_LONGS_EQUAL(0, uthread->pending);
}

TEST(UThreads, inherit_the_mask_from_before_a_suspend) {
    current_uthread().mask = signal_bit(FL_SIGINT);
    current_uthread().mask_before_suspend = signal_bit(FL_SIGHUP);
    ZoneOwned<UThread> uthread = made(me());
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGHUP), uthread->mask);
    CHECK_FALSE(uthread->mask_before_suspend.has_value());
    current_uthread().mask_before_suspend.reset();
}

TEST(UThreads, of_workers_have_the_mask_of_workers_and_the_identity_of_the_process) {
    current_uthread().assumed = must(me().credentials->copy());
    ZoneOwned<UThread> uthread = made(me(), {.inherit = false});
    UNSIGNED_LONGS_EQUAL(worker_mask, uthread->mask);
    UNSIGNED_LONGS_EQUAL(0, worker_mask & (unblockable_signals | signal_bit(FL_SIGSEGV)));
    CHECK_FALSE(static_cast<bool>(uthread->assumed));
}

TEST(UThreads, fail_for_want_of_an_element_alone) {
    made(me()).reset();
    UNSIGNED_LONGS_EQUAL(1, sweep_failures([&] { return uthread_alloc(*thread, me(), &current_uthread()); }));
}

TEST(UThreads, hand_their_pending_signals_to_the_process_when_they_end) {
    ZoneOwned<UThread> uthread = made(me());
    current_uthread().mask = signal_bit(FL_SIGUSR1);
    uthread->pending = signal_bit(FL_SIGUSR1) | signal_bit(FL_SIGCHLD);     // the second one is ignored
    uthread_cleanup(*uthread);
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), me().signals.pending);
    UNSIGNED_LONGS_EQUAL(0, uthread->pending);
    me().signals.pending = 0;
}

TEST(UThreads, drop_their_directory_and_identity_when_they_end) {
    ZoneOwned<UThread> uthread = made(me());
    uthread->assumed = must(me().credentials->copy());
    put_string(data, "/tmp");
    must(call(sys_chdir, data.value));
    uthread->directory = me().directory;
    uthread_cleanup(*uthread);
    CHECK_FALSE(uthread->directory || uthread->assumed);
}

// --- thread_create ---

TEST_GROUP_BASE(ThreadCreate, ProcessTest) {
    Result<uint64_t> create() { return call(sys_thread_create, program_counter, 77, 0x1000, 0x55); }
    void end_last() {
        CHECK_TRUE(host::ends_in(host::take_started(), [] { thread_terminate(); }));
    }
};

TEST(ThreadCreate, starts_a_thread_of_the_same_task_with_argument_and_stack) {
    uint64_t tid = must(create());
    Thread& thread = host::take_started();
    UNSIGNED_LONGS_EQUAL(tid, thread.tid);
    POINTERS_EQUAL(cpu::current_thread()->task, thread.task);
    UserFrame& registers = thread.user_frame();
    UNSIGNED_LONGS_EQUAL(77, registers.x[0]);
    UNSIGNED_LONGS_EQUAL(0x1000, registers.sp);
    UNSIGNED_LONGS_EQUAL(program_counter, registers.pc);
    UNSIGNED_LONGS_EQUAL(0x55, thread.thread_pointer);
}

TEST(ThreadCreate, fails_at_each_step_and_leaves_nothing) {
    static constexpr Step steps[] = {
        {"kernel stack", Error::NoMemory}, {"thread", Error::NoMemory}, {"uthread", Error::NoMemory}};
    must(create());
    end_last();
    References references(me());
    expect_steps(steps, [&] { return create(); }, [&](Result<uint64_t>&) { end_last(); });
    references.check();
}

TEST(ThreadCreate, makes_none_while_the_process_ends) {
    must(create());
    end_last();
    Ledger ledger;
    me().exiting = true;
    must_fail(Error::TryAgain, create());
    me().exiting = false;
    ledger.check();
}

TEST(ThreadCreate, makes_as_many_as_a_process_may_have) {
    unsigned made = 1;
    while (create().ok()) {
        ++made;
    }
    UNSIGNED_LONGS_EQUAL(256, made);
    must_fail(Error::TryAgain, create());
    end_last();
    must(create());
    while (--made != 0) {
        end_last();
    }
}

// --- setsid and setpgid ---

TEST_GROUP_BASE(Groups, ProcessTest) {
    Result<uint64_t> setpgid(Proc& proc, int32_t group) { return call(sys_setpgid, number(proc.pid), group); }
};

TEST(Groups, setsid_makes_a_session_and_a_group_named_by_their_maker) {
    Proc& child = forked();
    host::Acting acting(child);
    UNSIGNED_LONGS_EQUAL(3, must(call(sys_setsid)));
    UNSIGNED_LONGS_EQUAL(3, must(call(sys_getsid, 0)));
    UNSIGNED_LONGS_EQUAL(3, must(call(sys_getpgid, 0)));
}

TEST(Groups, setsid_fails_at_each_step_and_leaves_the_old_session) {
    static constexpr Step steps[] = {{"session", Error::NoMemory}, {"group", Error::NoMemory}};
    Proc* child = &forked();
    Thread& shell = *cpu::current_thread();
    host::set_current(host::thread_of(*child));
    must(call(sys_setsid));
    host::set_current(shell);
    finish(*child);
    child = &forked();
    ProcessGroup* group = child->group;
    host::set_current(host::thread_of(*child));
    expect_steps(steps,
                 [&] {
                     POINTERS_EQUAL(group, me().group);
                     return call(sys_setsid);
                 },
                 [&](Result<uint64_t>&) {
                     host::set_current(shell);
                     finish(*child);
                     child = &forked();
                     host::set_current(host::thread_of(*child));
                 });
}

TEST(Groups, setsid_of_a_group_leader_is_not_permitted) {
    Ledger ledger;
    must_fail(Error::NotPermitted, call(sys_setsid));
    ledger.check();
}

TEST(Groups, setpgid_moves_a_child_into_a_group_of_its_own_and_back) {
    Proc& child = forked();
    must(setpgid(child, 0));
    CHECK_TRUE(child.group->id == child.pid);
    CHECK_TRUE(pid_in_use(child.pid));
    must(setpgid(child, 2));
    POINTERS_EQUAL(me().group, child.group);
}

TEST(Groups, setpgid_fails_for_want_of_a_group_alone) {
    static constexpr Step steps[] = {{"group", Error::NoMemory}};
    Proc& child = forked();
    must(setpgid(child, 0));
    must(setpgid(child, 2));
    expect_steps(steps, [&] { return setpgid(child, 0); }, [&](Result<uint64_t>&) { must(setpgid(child, 2)); });
}

TEST(Groups, setpgid_says_what_is_wrong) {
    Proc& child = forked();
    must_fail(Error::Invalid, setpgid(child, -1));
    must_fail(Error::NotPermitted, setpgid(child, 99));
    must_fail(Error::NotPermitted, setpgid(me(), 0 + 3));
    must_fail(Error::NoProcess, call(sys_setpgid, 99, 0));
    must_fail(Error::NoProcess, setpgid(host::init(), 0));
    child.has_execed = true;
    must_fail(Error::AccessDenied, setpgid(child, 0));
}

TEST(Groups, a_groups_number_is_not_given_to_a_process_while_it_has_members) {
    start_again(smallest_pid_max);
    Proc& leader = forked();
    must(setpgid(leader, 0));
    Proc& member = forked();
    must(setpgid(member, number(leader.pid)));
    Pid group = leader.pid;
    finish(leader);
    for (int i = 0; i < 2 * smallest_pid_max; ++i) {
        Proc& child = forked();
        CHECK_TRUE(child.pid != group);
        finish(child);
    }
    finish(member);
    CHECK_FALSE(pid_in_use(group));
}

// --- descriptors ---

TEST_GROUP_BASE(Descriptors, ProcessTest) {
    Result<uint64_t> pipe() { return call(sys_pipe2, data.value, 0); }
    void close_pipe() {
        must(call(sys_close, 0));
        must(call(sys_close, 1));
    }
};

TEST(Descriptors, pipe_fails_at_each_step_and_leaves_nothing) {
    static constexpr Step steps[] = {
        {"reading descriptor", Error::TooManyFiles}, {"writing descriptor", Error::TooManyFiles},
        {"pipe", Error::NoMemory},                   {"reading file", Error::NoMemory},
        {"writing file", Error::NoMemory},           {"numbers", Error::BadAddress}};
    must(pipe());
    close_pipe();
    expect_steps(steps, [&] { return pipe(); }, [&](Result<uint64_t>&) { close_pipe(); });
}

TEST(Descriptors, dup_fails_for_want_of_a_number_alone) {
    static constexpr Step steps[] = {{"descriptor", Error::TooManyFiles}};
    must(pipe());
    References references(me());
    expect_steps(steps, [&] { return call(sys_dup, 0); }, [&](Result<uint64_t>& fd) { must(call(sys_close, fd.value())); });
    references.check();
}

TEST(Descriptors, dup3_beyond_the_first_numbers_wants_memory_once) {
    static constexpr Step steps[] = {{"more descriptors", Error::NoMemory}};
    must(pipe());
    Proc* child = &forked();
    Thread& shell = *cpu::current_thread();
    host::set_current(host::thread_of(*child));
    must(call(sys_dup3, 0, 100, 0));
    host::set_current(shell);
    finish(*child);
    child = &forked();
    host::set_current(host::thread_of(*child));
    expect_steps(steps, [&] { return call(sys_dup3, 0, 100, 0); }, [&](Result<uint64_t>&) {
        host::set_current(shell);
        finish(*child);
        child = &forked();
        host::set_current(host::thread_of(*child));
    });
}

// --- exit, wait, kill ---

TEST_GROUP_BASE(ExitAndWait, ProcessTest) {};

TEST(ExitAndWait, a_zombie_keeps_status_and_pid_until_it_is_collected) {
    Proc& child = forked();
    host::end(child, status_of_exit(42));
    CHECK_TRUE(child.state == ProcState::Zombie && pid_in_use(child.pid));
    CHECK_FALSE(child.task || child.files);
    UNSIGNED_LONGS_EQUAL(3, must(call(sys_wait4, -1, data.value, 0, 0)));
    UNSIGNED_LONGS_EQUAL(42 << 8, word_of(space(), data));
    CHECK_FALSE(pid_in_use(static_cast<Pid>(3)));
}

TEST(ExitAndWait, orphans_go_to_init) {
    Proc& child = forked();
    Proc* grandchild = nullptr;
    {
        host::Acting acting(child);
        grandchild = &forked();
    }
    finish(child);
    POINTERS_EQUAL(&host::init(), grandchild->parent);
}

TEST(ExitAndWait, wait_says_what_there_is_not) {
    must_fail(Error::NoChild, call(sys_wait4, -1, 0, 0, 0));
    must_fail(Error::Invalid, call(sys_wait4, -1, 0, 0x100, 0));
    forked();
    UNSIGNED_LONGS_EQUAL(0, must(call(sys_wait4, -1, 0, FL_WNOHANG, 0)));
    must_fail(Error::NoChild, call(sys_wait4, 99, 0, FL_WNOHANG, 0));
}

TEST(ExitAndWait, kill_ends_a_child_by_its_default) {
    Proc& child = forked();
    must(call(sys_kill, number(child.pid), FL_SIGTERM));
    Thread& thread = host::thread_of(child);
    CHECK_TRUE(thread.asked(ReturnWork::Signal));
    UserFrame childs{};
    CHECK_TRUE(host::ends_in(thread, [&] { deliver_signals(childs); }));
    LONGS_EQUAL(status_of_signal(FL_SIGTERM), child.wait_status);
}

TEST(ExitAndWait, kill_of_a_user_may_not_reach_root) {
    Proc& child = forked();
    host::Acting acting(child);
    must(call(sys_setuid, user));
    must_fail(Error::NotPermitted, call(sys_kill, 2, FL_SIGTERM));
    must_fail(Error::NoProcess, call(sys_kill, 99, FL_SIGTERM));
    must_fail(Error::Invalid, call(sys_kill, 2, 32));
}
