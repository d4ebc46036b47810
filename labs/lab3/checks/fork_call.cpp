// Lab 3, fork itself: a whole child, published and then started; and what remains of a fork that fails.
#include "kernel/proc/calls.h"
#include "lab3/checks/fork_check.h"

TEST_GROUP_BASE(Fork, Shell) {
    static Thread& thread(Proc& proc) { return host::thread_of(proc); }
};

TEST(Fork, makes_a_whole_child_that_can_be_found) {
    const size_t slots = process_slots_taken(), seen = processes_seen(), started = host::started.size();
    Proc& child = fork_child();
    CHECK_TRUE_TEXT(child.state == ProcState::Running, "the child's state is not Running");
    CHECK_TRUE_TEXT(is_child_of(child, me()), "the child is not among its parent's children");
    CHECK_TRUE_TEXT(is_in_group(child, me().group), "the child is not in its parent's group");
    UNSIGNED_LONGS_EQUAL_TEXT(seen + 1, processes_seen(), "processes in the table");
    UNSIGNED_LONGS_EQUAL_TEXT(slots + 1, process_slots_taken(), "slots taken");
    CHECK_TRUE_TEXT(child.task->proc == &child && child.task->space.get() != &space(), "the task is not the child's own");
    CHECK_TRUE_TEXT(thread(child).task == child.task.get(), "the thread is not of the child's task");
    CHECK_TRUE_TEXT(thread(child).uthread->proc == &child, "the thread's Unix half is not of the child");
    UNSIGNED_LONGS_EQUAL_TEXT(started + 1, host::started.size(), "threads that were started");
    CHECK_TRUE_TEXT(host::started.back() == &thread(child), "another thread was started");
    STRCMP_EQUAL_TEXT(me().inherited.name, child.inherited.name, "the child's name");
}

TEST(Fork, gives_the_child_the_registers_with_zero_and_one) {
    CheckRandom random;
    for (uint64_t& x : frame.x) {
        x = random.next();
    }
    frame.sp = random.next();
    frame.pc = random.next();
    frame.pstate = 0x6000'0000;
    const UserFrame before = frame;
    const UserFrame& its = thread(fork_child()).user_frame();
    UNSIGNED_LONGS_EQUAL_TEXT(0, its.x[0], "x0 of the child: what fork returns there");
    UNSIGNED_LONGS_EQUAL_TEXT(1, its.x[1], "x1 of the child: it tells the child apart");
    for (size_t i = 2; i < std::size(frame.x); ++i) {
        UNSIGNED_LONGS_EQUAL_TEXT(before.x[i], its.x[i], "another register of the child");
    }
    UNSIGNED_LONGS_EQUAL_TEXT(before.sp, its.sp, "the child's stack pointer");
    UNSIGNED_LONGS_EQUAL_TEXT(before.pc, its.pc, "the child's program counter");
    UNSIGNED_LONGS_EQUAL_TEXT(before.pstate, its.pstate, "the child's processor state");
    CHECK_TRUE_TEXT(memcmp(&before, &frame, sizeof frame) == 0, "fork1 changed the parent's registers");
}

TEST(Fork, copies_thread_pointer_floating_point_mask_and_nice_level) {
    cpu::set_user_thread_pointer(0x7777);
    Thread& mine = *cpu::current_thread();
    mine.uses_fp = true;
    FpState registers{};
    registers.q[17] = 0x1717;
    host::fp_unsaved = registers;       // the program's latest are still on the core
    current_uthread().mask = signal_bit(FL_SIGUSR1);
    me().inherited.nice = 5;
    mine.nice = 5;                      // as setpriority sets both
    Thread& its = thread(fork_child());
    UNSIGNED_LONGS_EQUAL_TEXT(0x7777, its.thread_pointer, "the child's thread pointer");
    CHECK_TRUE_TEXT(its.uses_fp && its.fp.q[17] == 0x1717, "the child lost the floating-point registers");
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR1), its.uthread->mask, "signals that the child's thread blocks");
    LONGS_EQUAL_TEXT(5, its.nice.load(), "the nice level of the child's thread");
    cpu::set_user_thread_pointer(0);
}

TEST(Fork, makes_one_thread_however_many_the_parent_has) {
    must(call(sys_thread_create, program_counter, 0, 0x1000, 0));
    must(call(sys_thread_create, program_counter, 0, 0x2000, 0));
    current_uthread().mask = signal_bit(FL_SIGUSR2);
    Proc& child = fork_child();
    UNSIGNED_LONGS_EQUAL_TEXT(signal_bit(FL_SIGUSR2), thread(child).uthread->mask, "the child's thread is not made from the calling one");
    SpinGuard guard(child.task->lock);
    UNSIGNED_LONGS_EQUAL_TEXT(1, child.task->thread_count, "the child's threads");
}

TEST(Fork, shows_the_child_only_when_it_is_whole) {
    const size_t before = processes_seen();
    size_t entries = 0, seen_too_early = 0;
    host::entry_observe = [&](Thread&) {
        ++entries;
        seen_too_early += processes_seen() != before;
    };
    fork_child();
    host::entry_observe = nullptr;
    UNSIGNED_LONGS_EQUAL_TEXT(1, entries, "threads that thread_set_user_entry was called for");
    UNSIGNED_LONGS_EQUAL_TEXT(0, seen_too_early, "the child could be found before its thread had its registers and its way into the program");
}

TEST(Fork, starts_the_thread_last) {
    // What a child finds that runs at once: everything, as it will stay.
    size_t starts = 0, unseen = 0;
    UserFrame at_start{};
    host::start_observe = [&](Thread& started) {
        ++starts;
        Proc* child = started.uthread == nullptr || started.task == nullptr ? nullptr : started.uthread->proc;
        at_start = started.user_frame();
        const bool whole = child != nullptr && seen_process(child->pid) == child && child->state == ProcState::Running &&
                           is_child_of(*child, me()) && is_in_group(*child, me().group) && child->task.get() == started.task;
        unseen += !whole;
    };
    Proc& child = fork_child();
    host::start_observe = nullptr;
    UNSIGNED_LONGS_EQUAL_TEXT(1, starts, "threads that were started");
    UNSIGNED_LONGS_EQUAL_TEXT(0, unseen, "the thread was started before the child was whole and published");
    CHECK_TRUE_TEXT(memcmp(&at_start, &thread(child).user_frame(), sizeof at_start) == 0, "registers were set when the thread might run already");
}

TEST(Fork, counts_each_fork_that_succeeds) {
    const uint64_t before = forks_ever();
    fork_child();
    fork_child();
    UNSIGNED_LONGS_EQUAL_TEXT(before + 2, forks_ever(), "forks after two");
    set_fork_policy([](Proc&) -> Result<> { return Error::AccessDenied; });
    must_fail(Error::AccessDenied, fork1(frame, {}));
    UNSIGNED_LONGS_EQUAL_TEXT(before + 2, forks_ever(), "forks after one that was forbidden");
}

TEST(Fork, asks_the_policy_and_keeps_nothing_when_it_forbids) {
    static Proc* asked_for;
    asked_for = nullptr;
    References references(me());
    {
        Ledger ledger;
        set_fork_policy([](Proc& parent) -> Result<> {
            asked_for = &parent;
            return Error::AccessDenied;
        });
        must_fail(Error::AccessDenied, fork_policy_check(me()));
        must_fail(Error::AccessDenied, fork1(frame, {}));
        ledger.check();
    }
    POINTERS_EQUAL_TEXT(&me(), asked_for, "the process that the policy was asked about");
    references.check();
    set_fork_policy([](Proc&) -> Result<> { return {}; });
    fork_child();
    set_fork_policy(nullptr);
    must(fork_policy_check(me()));
    fork_child();
}

TEST(Fork, says_try_again_when_there_are_too_many_processes_or_no_number) {
    References references(me());
    const size_t maximum = process_maximum();
    process_limit_init(process_slots_taken());
    must_fail(Error::TryAgain, fork1(frame, {}));
    process_limit_init(maximum);
    start_again(smallest_pid_max);
    const size_t slots = process_slots_taken();
    while (pid_allocate().ok()) {
    }
    must_fail(Error::TryAgain, fork1(frame, {}));
    UNSIGNED_LONGS_EQUAL_TEXT(slots, process_slots_taken(), "slots taken after a fork that found no number");
    for (int32_t pid = 3; pid < smallest_pid_max; ++pid) {
        pid_release(static_cast<Pid>(pid), PidUse::Process);
    }
    fork_child();
}

TEST(Fork, keeps_to_the_number_of_processes_that_a_user_may_have) {
    must(call(sys_setuid, user));
    Ref<Limits> limits = must(me().limits->copy());
    limits->values[FL_RLIMIT_NPROC] = {2, 2};
    me().limits = limits;
    Proc& child = fork_child();
    must_fail(Error::TryAgain, fork1(frame, {}));
    UNSIGNED_LONGS_EQUAL_TEXT(2, me().credentials->account->processes, "processes of the user");
    finish(child);
    UNSIGNED_LONGS_EQUAL_TEXT(1, me().credentials->account->processes, "processes of the user when the child has gone");
    fork_child();
}

TEST(Fork, gives_everything_back_whichever_step_fails) {
    map_memory();
    finish(fork_child());       // zones are made by their first use
    References references(me());
    size_t try_again = 0, forbidden = 0;
    const size_t started = host::started.size();
    const uint64_t steps = sweep([&] { return fork1(frame, {}); }, [&](Result<Pid>& pid) { finish(find(pid.value())); },
                                 [&](uint64_t, Error error) {
                                     CHECK_TRUE_TEXT(error == Error::TryAgain || error == Error::NoMemory || error == Error::NotPermitted,
                                                     "the error is not the failing step's");
                                     try_again += error == Error::TryAgain;
                                     forbidden += error == Error::NotPermitted;
                                     references.check();
                                     UNSIGNED_LONGS_EQUAL_TEXT(started, host::started.size(), "threads started by forks that failed");
                                 });
    UNSIGNED_LONGS_EQUAL_TEXT(2, try_again, "steps that say TryAgain: the slot and the number");
    CHECK_TRUE_TEXT(forbidden <= 1, "only the policy says NotPermitted");
    // Slot, number, process, statistics, descriptors, actions; space, root, three regions, two tables, five pages; task; thread, stack, Unix half.
    CHECK_TRUE_TEXT(steps >= 22, "there are more steps than that, and each of them may be refused");
    references.check();
}

TEST(Fork, of_an_unknown_kind_panics) { MUST_PANIC((void)fork1(frame, {.kind = ProcKind::Vfork})); }

TEST(Fork, passes_a_kill_on_to_a_child_that_it_could_not_find) {
    signal_process(me(), {.signal = FL_SIGKILL});
    Proc& child = fork_child();
    CHECK_TRUE_TEXT((child.signals.pending & signal_bit(FL_SIGKILL)) != 0, "the child of a killed process lives on");
    me().signals.pending = 0;
}

TEST(Fork, parts_the_memory_of_parent_and_child) {
    map_memory();
    CHECK_TRUE_TEXT(fork_copy_mode() == CopyMode::Eager, "set_fork_copy_mode does not keep the mode");
    const Active active = activate();
    const Descriptor before = entry_of(active.root, data);
    Proc& child = fork_child();
    UNSIGNED_LONGS_EQUAL_TEXT(before.bits, entry_of(active.root, data).bits, "in eager mode the parent's entries stay as they are");
    put(data, 1);
    {
        host::Acting acting(child);
        put(data + page_size, 2);
        put(shared, 3);
    }
    UNSIGNED_LONGS_EQUAL_TEXT(100, word_of(space_of(child), data), "what the parent wrote after the fork");
    UNSIGNED_LONGS_EQUAL_TEXT(101, word_of(space(), data + page_size), "what the child wrote after the fork");
    UNSIGNED_LONGS_EQUAL_TEXT(3, word_of(space(), shared), "what the child wrote to shared memory");
    deactivate();
}

TEST_GROUP_BASE(FirstProcess, Shell) {
    static void an_entry(void*) {}
    // Nobody waits in the kernel: its child goes to init, which collects it.
    static void end_of(Proc& child) {
        const Pid pid = child.pid;
        uint64_t& handler = kernel_proc().signals.actions->actions[FL_SIGCHLD].handler;
        handler = FL_SIG_IGN;
        host::end(child, 0);
        handler = FL_SIG_DFL;
        LONGS_EQUAL(number(pid), must(host::collect(host::init(), pid)));
    }
};

TEST(FirstProcess, comes_from_the_kernel_by_the_same_path) {
    size_t starts = 0, unseen = 0;
    host::start_observe = [&](Thread& started) {
        ++starts;
        Proc* child = started.uthread == nullptr ? nullptr : started.uthread->proc;
        unseen += child == nullptr || seen_process(child->pid) != child || started.entry != an_entry;
    };
    int argument = 0;
    Pid pid;
    {
        host::Acting acting(outside());
        pid = must(cloneproc_init(an_entry, &argument));
    }
    host::start_observe = nullptr;
    Proc& child = find(pid);
    CHECK_TRUE_TEXT(is_child_of(child, kernel_proc()) && is_in_group(child, kernel_proc().group), "its parent is not the kernel's process");
    CHECK_TRUE_TEXT(child.credentials.get() == kernel_proc().credentials.get() && child.limits.get() == kernel_proc().limits.get(),
                    "its credentials and limits are not the kernel's");
    CHECK_TRUE_TEXT(static_cast<bool>(child.task) && child.task->proc == &child, "it has no task");
    Thread& thread = host::thread_of(child);
    CHECK_TRUE_TEXT(thread.entry == an_entry && thread.entry_argument == &argument, "its thread starts elsewhere");
    CHECK_TRUE_TEXT(thread.uthread != nullptr && thread.uthread->proc == &child, "its thread has no Unix half");
    UNSIGNED_LONGS_EQUAL_TEXT(0, child.task->space->mapped_bytes(), "bytes of its address space");
    UNSIGNED_LONGS_EQUAL_TEXT(1, starts, "threads that were started");
    UNSIGNED_LONGS_EQUAL_TEXT(0, unseen, "the thread was started before the process was published");
    end_of(child);
}

TEST(FirstProcess, leaves_nothing_when_a_step_fails) {
    fork_child();
    References references(kernel_proc());
    const uint64_t steps = sweep(
        [&]() -> Result<Pid> {
            host::Acting acting(outside());
            return cloneproc_init(an_entry, nullptr);
        },
        [&](Result<Pid>& pid) { end_of(find(pid.value())); }, [&](uint64_t, Error) { references.check(); });
    CHECK_TRUE_TEXT(steps >= 12, "slot to Unix half: each of twelve steps may be refused");
}
