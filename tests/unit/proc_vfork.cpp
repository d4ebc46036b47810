// vfork on the host: the test's own thread changes sides and comes back.
#include "kernel/proc/calls.h"
#include "kernel/proc/events.h"
#include "kernel/proc/family.h"
#include "kernel/proc/sys_files.h"
#include "proc_support.h"

TEST_GROUP_BASE(Vfork, ProcessTest) {
    Proc* parent = nullptr;

    void setup() override {
        ProcessTest::setup();
        parent = &me();
        host::add_program("/tmp/program");
        host::add_file("/tmp/no_program", "what is this");
        host::add_file("/tmp/secret", "", {.mode = 0600});
    }

    static UThread& uthread() { return current_uthread(); }
    static SignalSet pending(Proc& proc) { return proc.signals.pending; }
    static SignalSet& pending_of(Proc& proc) { return proc.signals.pending; }
    static ForkloreSigaction& action(Proc& proc, int signal) { return proc.signals.actions->actions[signal]; }

    Result<uint64_t> execute(std::string_view path) {
        put_string(data, path);
        return call(sys_execve, data.value, 0, 0);
    }
    // The child of vfork exits; the parent runs on.
    void exit_child(int code = 0) { must(call(sys_exit, code)); }
    // The loan is over and the child, which exited, is collected.
    void collect_child(Pid pid = static_cast<Pid>(3)) {
        POINTERS_EQUAL(parent, &me());
        ProcessTest::collect(pid);
    }
};

// --- lending ---

TEST(Vfork, runs_on_as_the_child_in_the_same_thread) {
    Thread* thread = cpu::current_thread();
    must(call(sys_vfork));
    POINTERS_EQUAL(thread, cpu::current_thread());
    CHECK_TRUE(&me() != parent);
    UNSIGNED_LONGS_EQUAL(3, must(call(sys_getpid)));
    UNSIGNED_LONGS_EQUAL(2, must(call(sys_getppid)));
}

TEST(Vfork, returns_zero_and_one_to_the_child) {
    must(vfork(frame));
    UNSIGNED_LONGS_EQUAL(0, frame.x[0]);
    UNSIGNED_LONGS_EQUAL(1, frame.x[1]);
    UNSIGNED_LONGS_EQUAL(55, frame.x[5]);
}

TEST(Vfork, system_call_leaves_the_childs_zero_in_the_frame) { UNSIGNED_LONGS_EQUAL(0, must(call(sys_vfork, 9))); }

TEST(Vfork, copies_no_page_and_makes_no_thread) {
    touch_memory();
    const size_t anonymous = pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value;
    const uint64_t threads = Thread::count();
    lent();
    UNSIGNED_LONGS_EQUAL(anonymous, pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value);
    UNSIGNED_LONGS_EQUAL(threads, Thread::count());
}

TEST(Vfork, what_the_child_writes_is_the_parents_memory) {
    lent();
    put(data, 4711);
    exit_child();
    UNSIGNED_LONGS_EQUAL(4711, word_of(space(), data));
}

TEST(Vfork, makes_a_child_without_a_task_that_everybody_sees) {
    Proc& child = lent();
    CHECK_FALSE(static_cast<bool>(child.task));
    POINTERS_EQUAL(cpu::current_thread(), child.lent_thread);
    POINTERS_EQUAL(&child, host::find_process(child.pid));
    CHECK_TRUE(child.state == ProcState::Running && child.group == parent->group);
}

TEST(Vfork, descriptors_that_the_child_closes_stay_open_in_the_parent) {
    host::add_file("/tmp/file", "0123456789");
    put_string(data, "/tmp/file");
    uint64_t fd = must(call(sys_open, data.value, FL_O_RDONLY, 0));
    lent();
    must(call(sys_close, fd));
    exit_child();
    must(call(sys_lseek, fd, 0, FL_SEEK_CUR));
}

TEST(Vfork, a_directory_that_the_child_enters_is_not_the_parents) {
    put_string(data, "/tmp");
    lent();
    must(call(sys_chdir, data.value));
    CHECK_TRUE(static_cast<bool>(me().directory));
    exit_child();
    CHECK_FALSE(static_cast<bool>(me().directory));
}

TEST(Vfork, signal_actions_limits_and_credentials_of_the_child_are_its_own) {
    lent();
    action(me(), FL_SIGUSR1).handler = FL_SIG_IGN;
    ForkloreLimit limit{3, 3};
    must(space().store(data, &limit, sizeof limit));
    must(call(sys_setrlimit, FL_RLIMIT_NOFILE, data.value));
    must(call(sys_setuid, user));
    exit_child();
    UNSIGNED_LONGS_EQUAL(FL_SIG_DFL, action(me(), FL_SIGUSR1).handler);
    CHECK_TRUE(current_limit(FL_RLIMIT_NOFILE) != 3);
    UNSIGNED_LONGS_EQUAL(root_uid, must(call(sys_getuid)));
}

TEST(Vfork, a_memory_limit_of_the_child_does_not_bind_the_parent) {
    lent();
    ForkloreLimit limit{1, 1};
    must(space().store(data, &limit, sizeof limit));
    must(call(sys_setrlimit, FL_RLIMIT_AS, data.value));
    exit_child();
    must(space().map(UserAddr(0), page_size, Protection::read_write()));
}

TEST(Vfork, counts_the_loan_while_it_lasts) {
    lent();
    UNSIGNED_LONGS_EQUAL(1, parent->loans);
    exit_child();
    UNSIGNED_LONGS_EQUAL(0, parent->loans);
}

TEST(Vfork, more_returns_than_loans_panic) {
    must_panic([&] { proc_vfork_end(*parent); });
    UNSIGNED_LONGS_EQUAL(0, parent->loans);
}

TEST(Vfork, a_second_vfork_on_loan_is_invalid_and_takes_nothing) {
    Proc& child = lent();
    Ledger ledger;
    References references(child), parents(*parent);
    UserFrame before = frame;
    must_fail(Error::Invalid, vfork(frame));
    must_fail(Error::Invalid, call(sys_thread_create, program_counter, 0, 0x1000, 0));
    ledger.check();
    references.check();
    parents.check();
    UNSIGNED_LONGS_EQUAL(before.x[5], frame.x[5]);
    UNSIGNED_LONGS_EQUAL(1, parent->loans);
}

// --- what is saved ---

TEST(Vfork, gives_the_parent_its_registers_back_with_the_pid_of_the_child) {
    lent();
    frame = {};
    frame.x[5] = 99;
    frame.sp = 1;
    exit_child();
    UNSIGNED_LONGS_EQUAL(3, frame.x[0]);
    UNSIGNED_LONGS_EQUAL(0, frame.x[1]);
    UNSIGNED_LONGS_EQUAL(55, frame.x[5]);
    UNSIGNED_LONGS_EQUAL(0x1000, frame.sp);
    UNSIGNED_LONGS_EQUAL(program_counter, frame.pc);
}

TEST(Vfork, gives_the_parent_its_signal_mask_back) {
    uthread().mask = signal_bit(FL_SIGUSR1);
    lent();
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), uthread().mask);
    uthread().mask = signal_bit(FL_SIGUSR2);
    uthread().mask_before_suspend = 0;
    exit_child();
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), uthread().mask);
    CHECK_FALSE(uthread().mask_before_suspend.has_value());
}

TEST(Vfork, gives_the_parent_its_assumed_identity_back) {
    Ref<Credentials> mine = must(me().credentials->copy());
    uthread().assumed = mine;
    lent();
    uthread().assumed = must(mine->copy());
    exit_child();
    POINTERS_EQUAL(mine.get(), uthread().assumed.get());
}

TEST(Vfork, gives_the_parent_its_thread_pointer_and_floating_point_registers_back) {
    Thread& thread = *cpu::current_thread();
    cpu::set_user_thread_pointer(0x7777);
    thread.uses_fp = true;
    thread.fp.q[16] = 8;
    lent();
    cpu::set_user_thread_pointer(1);
    thread.fp.q[16] = 9;
    exit_child();
    UNSIGNED_LONGS_EQUAL(0x7777, cpu::user_thread_pointer());
    CHECK_TRUE(thread.uses_fp && thread.fp.q[16] == 8);
    cpu::set_user_thread_pointer(0);
}

// --- signals ---

TEST(Vfork, signals_to_the_parent_wait_until_the_thread_is_back) {
    Thread& thread = *cpu::current_thread();
    thread.done(ReturnWork::Signal);
    Proc& child = lent();
    signal_process(*parent, {.signal = FL_SIGUSR1});
    CHECK_FALSE(thread.asked(ReturnWork::Signal));
    UNSIGNED_LONGS_EQUAL(0, pending(child));
    exit_child();
    CHECK_TRUE(thread.asked(ReturnWork::Signal));
    CHECK_TRUE((pending(*parent) & signal_bit(FL_SIGUSR1)) != 0);
    pending_of(*parent) = 0;
}

TEST(Vfork, signals_of_the_very_thread_wait_too) {
    uthread().mask = signal_bit(FL_SIGUSR1);
    uthread().pending = signal_bit(FL_SIGUSR1);
    Proc& child = lent();
    UNSIGNED_LONGS_EQUAL(0, uthread().pending);
    uthread().pending = signal_bit(FL_SIGUSR2);     // of the thread as the child: it stays there
    vfork_exit(frame, 0);
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), uthread().pending);
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR2), pending(child));
    uthread().pending = 0;
}

TEST(Vfork, signals_to_the_child_reach_the_child) {
    Thread& thread = *cpu::current_thread();
    thread.done(ReturnWork::Signal);
    Proc& child = lent();
    signal_process(child, {.signal = FL_SIGUSR1});
    CHECK_TRUE(thread.asked(ReturnWork::Signal));
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), pending(child));
    UNSIGNED_LONGS_EQUAL(0, pending(*parent));
}

TEST(Vfork, other_threads_of_the_parent_take_its_signals_and_go_on) {
    must(call(sys_thread_create, program_counter, 0, 0x1000, 0));
    Thread& other = *host::started.back();
    lent();
    signal_process(*parent, {.signal = FL_SIGUSR1});
    CHECK_TRUE(other.asked(ReturnWork::Signal));
    host::Acting acting(other);
    POINTERS_EQUAL(parent, &me());
    UNSIGNED_LONGS_EQUAL(2, must(call(sys_getpid)));
}

// --- the ends of a loan ---

TEST(Vfork, exit_makes_the_child_a_zombie_with_its_status) {
    Proc& child = lent();
    exit_child(7);
    CHECK_TRUE(child.state == ProcState::Zombie);
    LONGS_EQUAL(status_of_exit(7), child.wait_status);
    collect_child();
}

TEST(Vfork, wait_collects_the_child_once_and_frees_its_pid) {
    lent();
    exit_child();
    collect_child();
    CHECK_FALSE(pid_in_use(static_cast<Pid>(3)));
    must_fail(Error::NoChild, host::collect(me(), static_cast<Pid>(3)));
}

TEST(Vfork, a_fatal_signal_to_the_child_ends_the_loan) {
    Proc& child = lent();
    signal_process(child, {.signal = FL_SIGTERM});
    deliver_signals(frame);
    POINTERS_EQUAL(parent, &me());
    UNSIGNED_LONGS_EQUAL(3, frame.x[0]);
    LONGS_EQUAL(status_of_signal(FL_SIGTERM), child.wait_status);
    collect_child();
}

TEST(Vfork, a_kill_of_the_parent_ends_the_child_first) {
    Proc& child = lent();
    signal_process(*parent, {.signal = FL_SIGKILL});
    CHECK_TRUE(cpu::current_thread()->asked(ReturnWork::Signal));
    Thread& thread = *cpu::current_thread();
    host::set_current(outside());
    CHECK_TRUE(host::ends_in(thread, [&] { deliver_signals(frame); }));
    CHECK_TRUE(child.state == ProcState::Zombie && child.parent == &host::init());
    CHECK_TRUE(parent->state == ProcState::Zombie);
    LONGS_EQUAL(status_of_signal(FL_SIGKILL), parent->wait_status);
    LONGS_EQUAL(status_of_signal(FL_SIGKILL), child.wait_status);
}

// Another thread of the parent exits or execs: the child dies with the thread, whose own signals go back to the process.
TEST(Vfork, a_lent_thread_that_must_end_ends_the_child_first) {
    must(call(sys_thread_create, program_counter, 0, 0x1000, 0));
    Proc& child = lent();
    Thread& thread = *cpu::current_thread();
    thread.user_frame() = frame;
    host::set_current(outside());
    CHECK_TRUE(host::ends_in(thread, [] { thread_terminate(); }));
    LONGS_EQUAL(status_of_signal(FL_SIGKILL), child.wait_status);
    CHECK_TRUE(child.state == ProcState::Zombie && child.parent == parent);
    UNSIGNED_LONGS_EQUAL(0, parent->loans);
    UNSIGNED_LONGS_EQUAL(1, parent->task->thread_count);
}

TEST(Vfork, a_signal_whose_thread_is_lent_goes_to_another) {
    Pid pid = me().pid;
    Thread& first = *cpu::current_thread();
    must(call(sys_thread_create, program_counter, 0, 0x1000, 0));
    Thread& second = host::take_started();
    second.uthread->mask = 0;
    signal_process(*parent, {.signal = FL_SIGUSR1});        // tells the first
    CHECK_TRUE(first.asked(ReturnWork::Signal) && !second.asked(ReturnWork::Signal));
    lent();
    CHECK_TRUE(second.asked(ReturnWork::Signal));
    exit_child();
    LONGS_EQUAL(number(pid), number(me().pid));
    parent->signals.pending = 0;
}

TEST(Vfork, the_directory_of_the_thread_is_put_aside) {
    put_string(data, "/tmp");
    must(call(sys_chdir, data.value));
    uthread().directory = me().directory;
    Ref<Vnode> own = uthread().directory;
    lent();
    CHECK_TRUE(current_directory().get() == own.get());
    put_string(data, "/");
    must(call(sys_chdir, data.value));
    CHECK_TRUE(current_directory().get() != own.get());
    exit_child();
    CHECK_TRUE(uthread().directory.get() == own.get());
}

TEST(Vfork, an_identity_that_the_child_takes_is_in_force_though_the_thread_had_assumed_one) {
    uthread().assumed = must(me().credentials->copy());
    lent();
    must(call(sys_setuid, user));
    UNSIGNED_LONGS_EQUAL(user, current_credentials()->effective_uid);
    exit_child();
    UNSIGNED_LONGS_EQUAL(root_uid, current_credentials()->effective_uid);
}

TEST(Vfork, a_parent_that_was_stopped_meanwhile_stops_when_the_thread_is_back) {
    lent();
    {
        SpinGuard guard(parent->signals.lock);
        parent->signals.stopped = true;
    }
    cpu::current_thread()->done(ReturnWork::Stop);
    exit_child();
    CHECK_TRUE(cpu::current_thread()->asked(ReturnWork::Stop));
    parent->signals.stopped = false;
}

TEST(Vfork, exec_gives_the_child_a_body_and_the_parent_its_thread) {
    touch_memory();
    Thread* thread = cpu::current_thread();
    Proc& child = lent();
    must(execute("/tmp/program"));
    POINTERS_EQUAL(parent, &me());
    POINTERS_EQUAL(thread, cpu::current_thread());
    UNSIGNED_LONGS_EQUAL(3, frame.x[0]);
    CHECK_TRUE(child.task && &space_of(child) != &space());
    POINTERS_EQUAL(&host::thread_of(child), host::started.back());
    UNSIGNED_LONGS_EQUAL(host::program_entry.value, host::thread_of(child).user_frame().pc);
    UNSIGNED_LONGS_EQUAL(101, word_of(space(), data + page_size));
}

TEST(Vfork, exec_names_the_child_and_remembers_that_it_execed) {
    Proc& child = lent();
    must(execute("/tmp/program"));
    STRCMP_EQUAL("program", child.inherited.name);
    CHECK_TRUE(child.has_execed);
    CHECK_FALSE(parent->has_execed);
    POINTERS_EQUAL(nullptr, child.lent_thread);
}

TEST(Vfork, a_failed_exec_leaves_the_child_on_the_loan) {
    Proc& child = lent();
    must_fail(Error::NoEntry, execute("/tmp/nothing"));
    must_fail(Error::NotExecutable, execute("/tmp/no_program"));
    POINTERS_EQUAL(&child, &me());
    UNSIGNED_LONGS_EQUAL(1, parent->loans);
    exit_child(3);
    LONGS_EQUAL(status_of_exit(3), child.wait_status);
}

TEST(Vfork, a_signal_that_came_before_the_exec_finds_the_new_thread) {
    uthread().mask = signal_bit(FL_SIGUSR1);
    Proc& child = lent();
    signal_process(child, {.signal = FL_SIGUSR1});
    must(execute("/tmp/program"));
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), pending(child));
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), host::thread_of(child).uthread->mask);
    CHECK_TRUE(host::thread_of(child).asked(ReturnWork::Signal));
}

TEST(Vfork, may_be_called_again_and_again) {
    for (int i = 0; i < 10; ++i) {
        Pid pid = lent().pid;
        LONGS_EQUAL(3 + i, number(pid));
        exit_child();
        collect_child(pid);
    }
}

namespace {

struct {
    ProcEvent event;
    Pid actor, subject;
} heard[8];
unsigned heard_count;

}  // namespace

TEST(Vfork, counts_for_the_parent_as_if_the_child_had_not_made_itself) {
    heard_count = 0;
    proc_listener = [](ProcEvent event, Pid actor, Pid subject) { heard[heard_count++ % 8] = {event, actor, subject}; };
    Pid child = lent().pid;
    exit_child();
    proc_listener = nullptr;
    const ProcEvent order[] = {ProcEvent::Fork, ProcEvent::Create, ProcEvent::Lend, ProcEvent::Exit, ProcEvent::Return};
    UNSIGNED_LONGS_EQUAL(5, heard_count);
    for (unsigned i = 0; i < 5; ++i) {
        CHECK_TRUE(heard[i].event == order[i] && heard[i].subject == child);
        CHECK_TRUE(heard[i].actor == (i < 3 ? parent->pid : child));
    }
    collect_child(child);
}

TEST(Vfork, tells_that_the_loan_is_over_when_the_child_has_execed_and_who_collected_it) {
    Pid child = lent().pid;
    heard_count = 0;
    proc_listener = [](ProcEvent event, Pid actor, Pid subject) { heard[heard_count++ % 8] = {event, actor, subject}; };
    must(execute("/tmp/program"));
    UNSIGNED_LONGS_EQUAL(2, heard_count);
    CHECK_TRUE(heard[0].event == ProcEvent::Exec && heard[1].event == ProcEvent::Return);
    CHECK_TRUE(heard[1].actor == child && heard[1].subject == child);
    host::end(find(child), 0);
    UNSIGNED_LONGS_EQUAL(3, heard_count);       // its end is no end of a loan
    CHECK_TRUE(heard[2].event == ProcEvent::Exit);
    collect_child(child);
    proc_listener = nullptr;
    UNSIGNED_LONGS_EQUAL(4, heard_count);
    CHECK_TRUE(heard[3].event == ProcEvent::Reap && heard[3].actor == parent->pid && heard[3].subject == child);
}

TEST(Vfork, the_stack_for_handlers_is_the_parents_and_can_not_be_changed) {
    ForkloreSignalStack stack{.base = 0x1000, .flags = 0, .reserved = 0, .size = 0x1000};
    must(space().store(data, &stack, sizeof stack));
    lent();
    must_fail(Error::NotPermitted, call(sys_sigaltstack, data.value, 0));
    exit_child();
    must(call(sys_sigaltstack, data.value, 0));
    UNSIGNED_LONGS_EQUAL(0x1000, uthread().alternate.size);
}

TEST(Vfork, counts_as_a_fork) {
    uint64_t before = forks_ever();
    lent();
    UNSIGNED_LONGS_EQUAL(before + 1, forks_ever());
}

// --- failure ---

TEST(Vfork, asks_the_policy_and_gives_the_slot_back_when_it_forbids) {
    const size_t slots = process_slots_taken();
    set_fork_policy([](Proc&) -> Result<> { return Error::AccessDenied; });
    must_fail(Error::AccessDenied, call(sys_vfork));
    UNSIGNED_LONGS_EQUAL(slots, process_slots_taken());
    POINTERS_EQUAL(parent, &me());
    UNSIGNED_LONGS_EQUAL(0, parent->loans);
}

TEST(Vfork, fails_at_each_step_with_its_error_and_leaves_nothing) {
    static constexpr Step steps[] = {
        {"process slot", Error::TryAgain},   {"policy", Error::NotPermitted},     {"pid", Error::TryAgain},
        {"proc", Error::NoMemory},           {"statistics", Error::NoMemory},     {"descriptors", Error::NoMemory},
        {"signal actions", Error::NoMemory}};
    lent();
    Pid first = me().pid;
    exit_child();
    collect_child(first);       // each zone has an element at hand
    References references(me());
    UserFrame before = frame;
    expect_steps(
        steps,
        [&] {
            Result<> result = vfork(frame);
            if (!result.ok()) {
                UNSIGNED_LONGS_EQUAL(before.x[0], frame.x[0]);
                POINTERS_EQUAL(parent, &me());
            }
            return result;
        },
        [&](Result<>&) {
            Pid pid = me().pid;
            exit_child();
            collect_child(pid);
        });
    references.check();
}
