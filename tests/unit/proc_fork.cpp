// fork on the host: what the child has, what it has not, and what remains of a fork that fails.
#include "kernel/fs/pipe.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/events.h"
#include "kernel/proc/family.h"
#include "kernel/proc/sys_files.h"
#include "machine/clock.h"
#include "proc_support.h"

TEST_GROUP_BASE(Fork, ProcessTest) {
    // The child of one fork.
    Thread& only_thread(Proc& proc) { return host::thread_of(proc); }
    ForkloreSigaction& action(Proc& proc, int signal) { return proc.signals.actions->actions[signal]; }
    int open_file() {
        host::add_file("/tmp/file", "0123456789");
        put_string(data, "/tmp/file");
        return static_cast<int>(must(call(sys_open, data.value, FL_O_RDWR, 0)));
    }
    static SignalSet pending(Proc& proc) { return proc.signals.pending; }
    static Terminal*& session_terminal() { return me().group->session->terminal; }
    void limit(ForkloreResource resource, uint64_t value) {
        ForkloreLimit wanted{value, value};
        must(space().store(data, &wanted, sizeof wanted));
        must(call(sys_setrlimit, resource, data.value));
    }
};

// --- the call ---

TEST(Fork, gives_the_parent_the_pid_of_the_child) {
    Pid pid = must(fork1(frame, {}));
    LONGS_EQUAL(3, number(pid));
    CHECK_TRUE(find(pid).parent == &me());
}

TEST(Fork, returns_zero_in_the_child_and_one_beside_it) {
    UserFrame& childs = only_thread(forked()).user_frame();
    UNSIGNED_LONGS_EQUAL(0, childs.x[0]);
    UNSIGNED_LONGS_EQUAL(1, childs.x[1]);
}

TEST(Fork, gives_the_child_the_registers_of_the_parent) {
    UserFrame& childs = only_thread(forked()).user_frame();
    UNSIGNED_LONGS_EQUAL(55, childs.x[5]);
    UNSIGNED_LONGS_EQUAL(frame.sp, childs.sp);
    UNSIGNED_LONGS_EQUAL(frame.pc, childs.pc);
    UNSIGNED_LONGS_EQUAL(frame.pstate, childs.pstate);
}

TEST(Fork, gives_the_child_the_thread_pointer_and_floating_point_registers) {
    cpu::set_user_thread_pointer(0x7777);
    Thread& mine = *cpu::current_thread();
    mine.uses_fp = true;
    mine.fp.q[17] = 0x1717;
    Thread& childs = only_thread(forked());
    UNSIGNED_LONGS_EQUAL(0x7777, childs.thread_pointer);
    CHECK_TRUE(childs.uses_fp && childs.fp.q[17] == 0x1717);
    cpu::set_user_thread_pointer(0);
}

TEST(Fork, system_call_clears_the_second_register_of_the_parent) {
    UNSIGNED_LONGS_EQUAL(3, must(call(sys_fork, 7, 8)));
    UNSIGNED_LONGS_EQUAL(0, frame.x[1]);
}

TEST(Fork, of_an_unknown_kind_panics) {
    must_panic([&] { (void)fork1(frame, {.kind = ProcKind::Vfork}); });
    must_panic([&] { (void)fork1(frame, {.kind = static_cast<ProcKind>(77)}); });
}

namespace {

struct Heard {
    ProcEvent event;
    Pid actor, subject;
    bool could_be_found, ran;
};
Heard heard[8];
unsigned heard_count;

void hear(ProcEvent event, Pid actor, Pid subject) {
    Proc* proc = find_process_locked(subject);
    bool ran = proc != nullptr && proc->task && host::thread_of(*proc).state != ThreadState::Waiting;
    if (heard_count < 8) {
        heard[heard_count++] = {event, actor, subject, proc != nullptr, ran};
    }
}

}  // namespace

TEST(Fork, tells_of_itself_for_the_parent_before_the_child_may_run) {
    heard_count = 0;
    proc_listener = hear;
    Proc& child = forked();
    proc_listener = nullptr;
    UNSIGNED_LONGS_EQUAL(2, heard_count);
    CHECK_TRUE(heard[0].event == ProcEvent::Fork && heard[1].event == ProcEvent::Create);
    for (const Heard& one : {heard[0], heard[1]}) {
        CHECK_TRUE(one.actor == me().pid && one.subject == child.pid);
        CHECK_TRUE(one.could_be_found && !one.ran);
    }
}

TEST(Fork, arms_the_childs_own_timer_if_processor_time_is_limited) {
    CHECK_FALSE(forked().cpu_limit.watching());
    Ref<Limits> limited = must(me().limits->copy());
    limited->values[FL_RLIMIT_CPU] = {3, 5};
    std::swap(me().limits, limited);
    CHECK_TRUE(forked().cpu_limit.watching());
    CHECK_FALSE(me().cpu_limit.watching());
    std::swap(me().limits, limited);
}

TEST(Fork, a_process_beyond_its_processor_time_is_told_and_then_killed) {
    Proc& child = forked();
    Ref<Limits> limited = must(me().limits->copy());
    limited->values[FL_RLIMIT_CPU] = {3, 5};
    std::swap(child.limits, limited);
    child.stats->user = 2 * nanoseconds_per_second;
    CpuLimit::watch(child);
    UNSIGNED_LONGS_EQUAL(0, pending(child));
    child.stats->system = nanoseconds_per_second;
    CpuLimit::watch(child);
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGXCPU), pending(child));
    child.stats->system = 3 * nanoseconds_per_second;
    CpuLimit::watch(child);
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGXCPU) | signal_bit(FL_SIGKILL), pending(child));
}

TEST(Fork, gives_the_child_the_controlling_terminal_if_parent_and_session_have_it) {
    CHECK_FALSE(forked().has_terminal);
    me().has_terminal = true;               // a session that lost its terminal
    CHECK_FALSE(forked().has_terminal);
    session_terminal() = reinterpret_cast<Terminal*>(0x1000);
    CHECK_TRUE(forked().has_terminal);
    me().has_terminal = false;
    CHECK_FALSE(forked().has_terminal);
    session_terminal() = nullptr;
}

TEST(Fork, counts_every_fork) {
    uint64_t before = forks_ever();
    forked();
    UNSIGNED_LONGS_EQUAL(before + 1, forks_ever());
}

// --- inherited by copy ---

TEST(Fork, copies_name_niceness_file_mode_mask_and_responsible_process) {
    me().inherited.nice = 5;
    me().inherited.file_mode_mask = 077;
    me().inherited.responsible = Pid::Init;
    me().inherited.executable_set_id = true;
    Proc& child = forked();
    STRCMP_EQUAL("kernel", child.inherited.name);
    LONGS_EQUAL(5, child.inherited.nice);
    LONGS_EQUAL(5, only_thread(child).nice.load());
    UNSIGNED_LONGS_EQUAL(077, child.inherited.file_mode_mask);
    CHECK_TRUE(child.inherited.responsible == Pid::Init && child.inherited.executable_set_id);
}

TEST(Fork, hands_on_policies_and_flags_but_not_that_the_parent_was_killed_for_its_code) {
    must(call(sys_trait, FL_TRAIT_IO_POLICY, FL_IO_THROTTLE));
    must(call(sys_trait, FL_TRAIT_CODE_FLAGS, FL_CODE_HARD | FL_CODE_KILLED));
    must(call(sys_trait, FL_TRAIT_CODE_FLAGS, FL_CODE_VALID));
    must(call(sys_trait, FL_TRAIT_RESPONSIBLE, number(me().pid)));
    Pid parent = me().pid;
    UNSIGNED_LONGS_EQUAL(FL_CODE_HARD | FL_CODE_KILLED | FL_CODE_VALID, must(call(sys_trait, FL_TRAIT_CODE_FLAGS, -1)));
    host::Acting acting(forked());
    UNSIGNED_LONGS_EQUAL(FL_IO_THROTTLE, must(call(sys_trait, FL_TRAIT_IO_POLICY, -1)));
    UNSIGNED_LONGS_EQUAL(FL_CODE_HARD | FL_CODE_VALID, must(call(sys_trait, FL_TRAIT_CODE_FLAGS, -1)));
    UNSIGNED_LONGS_EQUAL(number(parent), must(call(sys_trait, FL_TRAIT_RESPONSIBLE, -1)));
    must_fail(Error::Invalid, call(sys_trait, FL_TRAIT_IO_POLICY, FL_IO_POLICY_COUNT));
    must_fail(Error::Invalid, call(sys_trait, FL_TRAIT_CODE_FLAGS, 2));
    must_fail(Error::NoProcess, call(sys_trait, FL_TRAIT_RESPONSIBLE, 777));
    must_fail(Error::Invalid, call(sys_trait, 99, -1));
    must(call(sys_setuid, user));
    must_fail(Error::NotPermitted, call(sys_trait, FL_TRAIT_RESPONSIBLE, 1));
}

TEST(Fork, hands_on_the_stack_for_handlers_which_a_new_thread_does_not_get) {
    current_uthread().alternate = {.base = 0x1000, .flags = 0, .reserved = 0, .size = 0x2000};
    UNSIGNED_LONGS_EQUAL(0x2000, only_thread(forked()).uthread->alternate.size);
    must(call(sys_thread_create, program_counter, 0, 0x1000, 0));
    UNSIGNED_LONGS_EQUAL(FL_SS_DISABLE, host::started.back()->uthread->alternate.flags);
}

TEST(Fork, puts_the_child_into_the_parents_group_and_session) {
    Proc& child = forked();
    CHECK_TRUE(child.group == me().group);
    CHECK_TRUE(child.group->session->leader == &me());
}

TEST(Fork, gives_the_child_the_signal_mask_of_the_calling_thread) {
    current_uthread().mask = signal_bit(FL_SIGUSR1);
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), only_thread(forked()).uthread->mask);
}

// --- inherited by reference ---

TEST(Fork, shares_the_credentials) {
    CHECK_TRUE(forked().credentials.get() == me().credentials.get());
}

TEST(Fork, gives_the_child_the_identity_that_the_thread_assumed) {
    Ref<Credentials> assumed = must(me().credentials->copy());
    assumed->effective_uid = user;
    current_uthread().assumed = assumed;
    Proc& child = forked();
    CHECK_TRUE(child.credentials.get() == assumed.get());
    CHECK_FALSE(static_cast<bool>(only_thread(child).uthread->assumed));
}

TEST(Fork, shares_the_limits_until_one_side_writes) {
    Proc& child = forked();
    CHECK_TRUE(child.limits.get() == me().limits.get());
    host::Acting acting(child);
    limit(FL_RLIMIT_NPROC, 17);
    CHECK_TRUE(child.limits.get() != child.parent->limits.get());
    UNSIGNED_LONGS_EQUAL(17, child.limits->current(FL_RLIMIT_NPROC));
    CHECK_TRUE(child.parent->limits->current(FL_RLIMIT_NPROC) != 17);
}

TEST(Fork, shares_directory_and_program_file) {
    put_string(data, "/tmp");
    must(call(sys_chdir, data.value));
    me().program = me().directory;      // any vnode does
    Proc& child = forked();
    CHECK_TRUE(child.directory.get() == me().directory.get());
    CHECK_TRUE(child.program.get() == me().program.get());
}

TEST(Fork, prefers_the_directory_of_the_thread) {
    put_string(data, "/tmp");
    must(call(sys_chdir, data.value));
    current_uthread().directory = std::move(me().directory);
    Proc& child = forked();
    CHECK_TRUE(child.directory.get() == current_uthread().directory.get());
}

// --- duplicated ---

TEST(Fork, duplicates_the_descriptors_and_shares_their_offsets) {
    int fd = open_file();
    Proc& child = forked();
    {
        host::Acting acting(child);
        must(call(sys_read, fd, data.value, 4));
    }
    UNSIGNED_LONGS_EQUAL(4, must(call(sys_lseek, fd, 0, FL_SEEK_CUR)));
}

TEST(Fork, a_descriptor_that_the_child_closes_stays_open_in_the_parent) {
    int fd = open_file();
    {
        host::Acting acting(forked());
        must(call(sys_close, fd));
    }
    must(call(sys_lseek, fd, 0, FL_SEEK_CUR));
}

TEST(Fork, duplicates_descriptors_beyond_the_first_thirty_two) {
    int fd = open_file();
    must(call(sys_dup3, fd, 200, 0));
    host::Acting acting(forked());
    must(call(sys_lseek, 200, 0, FL_SEEK_CUR));
}

TEST(Fork, duplicates_the_signal_actions) {
    action(me(), FL_SIGUSR1).handler = 0x1234;
    Proc& child = forked();
    UNSIGNED_LONGS_EQUAL(0x1234, action(child, FL_SIGUSR1).handler);
    action(child, FL_SIGUSR1).handler = 0x5678;
    UNSIGNED_LONGS_EQUAL(0x1234, action(me(), FL_SIGUSR1).handler);
}

// --- fresh ---

TEST(Fork, starts_the_childs_statistics_now) {
    me().stats->minor_faults = 9;
    me().stats->signals = 9;
    me().stats->user = 9;
    host::set_clock(machine_clock::now() + 12'345);
    ProcStats& stats = *forked().stats;
    UNSIGNED_LONGS_EQUAL(machine_clock::now(), stats.start);
    UNSIGNED_LONGS_EQUAL(0, stats.minor_faults + stats.signals + stats.user + stats.system);
}

TEST(Fork, gives_the_child_no_pending_signal) {
    current_uthread().mask = signal_bit(FL_SIGUSR1);
    signal_process(me(), {.signal = FL_SIGUSR1});
    Proc& child = forked();
    UNSIGNED_LONGS_EQUAL(0, child.signals.pending);
    UNSIGNED_LONGS_EQUAL(0, only_thread(child).uthread->pending);
    me().signals.pending = 0;
}

TEST(Fork, kills_the_child_of_a_parent_that_is_killed) {
    me().signals.pending = signal_bit(FL_SIGTERM);
    UNSIGNED_LONGS_EQUAL(0, pending(forked()));
    me().signals.pending = signal_bit(FL_SIGKILL);      // it is told when the call returns
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGKILL), pending(forked()));
    me().signals.pending = 0;
}

TEST(Fork, gives_the_child_no_children_and_no_timers) {
    Proc& first = forked();
    for (IntervalTimer& timer : me().interval_timers) {
        timer.set({.interval = 77, .left = nanoseconds_per_second});
    }
    Proc& child = forked();
    CHECK_TRUE(child.children.empty() && &first != &child);
    for (IntervalTimer& timer : child.interval_timers) {
        CHECK_FALSE(timer.armed());
        UNSIGNED_LONGS_EQUAL(0, timer.setting().interval + timer.setting().left);
    }
}

TEST(Fork, marks_the_child_as_not_execed) {
    me().has_execed = true;
    CHECK_FALSE(forked().has_execed);
}

TEST(Fork, never_repeats_a_unique_id_or_version) {
    Proc& first = forked();
    uint64_t id = first.unique_id;
    uint32_t version = first.id_version;
    finish(first);
    Proc& second = forked();
    CHECK_TRUE(second.unique_id > id && second.id_version > version);
}

TEST(Fork, lists_the_processes_by_unique_id_whoever_is_published_first) {
    Proc* children[2];
    for (Proc*& child : children) {
        child = must(forkproc(me(), must(ProcSlot::reserve(*current_credentials(), FL_RLIM_INFINITY)))).release();
    }
    publish(me(), *children[1]);
    publish(me(), *children[0]);
    uint64_t last = 0;
    bool in_order = true;
    {
        SpinGuard guard(families_lock);
        for (Proc& proc : all_processes()) {
            in_order &= proc.unique_id > last;
            last = proc.unique_id;
        }
    }
    for (Proc* child : children) {
        const Pid pid = child->pid;
        begin_exit(*child);
        become_zombie(*child, 0);
        collect(pid);
    }
    CHECK_TRUE(in_order);
}

// --- birth order ---

TEST(Fork, lets_the_child_run_only_when_it_is_complete_and_can_be_seen) {
    Proc& child = forked();
    POINTERS_EQUAL(&only_thread(child), host::started.back());
    CHECK_TRUE(child.state == ProcState::Running && child.group != nullptr && child.task->proc == &child);
}

TEST(Fork, shows_nobody_a_child_that_is_half_made) {
    touch_memory();
    {
        InterruptGuard off;
        space().activate();         // so that the copy tells the MMU, and we can look
    }
    unsigned looked = 0;
    bool seen = false;
    host::mmu_observe = [&](const host::MmuCall&) {
        ++looked;
        seen |= host::find_process(static_cast<Pid>(3)) != nullptr;
        CHECK_TRUE(pid_in_use(static_cast<Pid>(3)));
    };
    must(fork1(frame, {}));
    host::mmu_observe = nullptr;
    {
        InterruptGuard off;
        AddressSpace::activate_none();
    }
    CHECK_TRUE(looked > 0);
    CHECK_FALSE(seen);
}

TEST(Fork, makes_one_thread_whatever_the_parent_has) {
    must(call(sys_thread_create, program_counter, 0, 0x1000, 0));
    Proc& child = forked();
    SpinGuard guard(child.task->lock);
    UNSIGNED_LONGS_EQUAL(1, child.task->thread_count);
}

// --- memory, in both modes ---

TEST(Fork, shows_the_child_every_private_page_as_it_was) {
    for (CopyMode mode : {CopyMode::CopyOnWrite, CopyMode::Eager}) {
        set_fork_copy_mode(mode);
        touch_memory();
        Proc& child = forked();
        put(data, 1);
        UNSIGNED_LONGS_EQUAL(100, word_of(space_of(child), data));
        UNSIGNED_LONGS_EQUAL(103, word_of(space_of(child), data + 3 * page_size));
        finish(child);
    }
}

TEST(Fork, hides_what_the_child_writes_from_the_parent) {
    for (CopyMode mode : {CopyMode::CopyOnWrite, CopyMode::Eager}) {
        set_fork_copy_mode(mode);
        touch_memory();
        Proc& child = forked();
        {
            host::Acting acting(child);
            put(data, 1);
        }
        UNSIGNED_LONGS_EQUAL(100, word_of(space(), data));
        finish(child);
    }
}

TEST(Fork, keeps_shared_mappings_shared) {
    for (CopyMode mode : {CopyMode::CopyOnWrite, CopyMode::Eager}) {
        set_fork_copy_mode(mode);
        Proc& child = forked();         // the page does not exist yet: sharing is not of pages alone
        put(shared, 4711);
        UNSIGNED_LONGS_EQUAL(4711, word_of(space_of(child), shared));
        finish(child);
    }
}

TEST(Fork, keeps_the_permissions) {
    touch_memory();
    Proc& child = forked();
    uint64_t word = 0;
    must_fail(Error::AccessDenied, space_of(child).store(text, &word, sizeof word));
    must_fail(Error::BadAddress, space_of(child).load(&word, UserAddr(0x39'0000), sizeof word));
}

TEST(Fork, remembers_how_it_copies) {
    set_fork_copy_mode(CopyMode::Eager);
    CHECK_TRUE(fork_copy_mode() == CopyMode::Eager);
}

// --- failure ---

TEST(Fork, asks_the_policy_and_gives_the_slot_back_when_it_forbids) {
    References references(me());
    const size_t slots = process_slots_taken();
    set_fork_policy([](Proc&) -> Result<> { return Error::AccessDenied; });
    must_fail(Error::AccessDenied, call(sys_fork));
    UNSIGNED_LONGS_EQUAL(slots, process_slots_taken());
    references.check();
    set_fork_policy([](Proc& parent) -> Result<> { return number(parent.pid) == 2 ? Result<>() : Error::AccessDenied; });
    must(fork1(frame, {}));
}

TEST(Fork, says_try_again_when_there_are_as_many_processes_as_may_be) {
    const size_t maximum = process_maximum();
    process_limit_init(process_slots_taken());
    must_fail(Error::TryAgain, fork1(frame, {}));
    process_limit_init(maximum);
    must(fork1(frame, {}));
}

TEST(Fork, keeps_the_last_slot_for_root) {
    Proc& child = forked();
    const size_t maximum = process_maximum();
    process_limit_init(process_slots_taken() + 1);
    {
        host::Acting acting(child);
        must(call(sys_setuid, user));
        must_fail(Error::TryAgain, fork1(frame, {}));
    }
    must(fork1(frame, {}));
    process_limit_init(maximum);
}

TEST(Fork, says_try_again_when_a_user_has_as_many_processes_as_he_may) {
    Proc& child = forked();
    {
        host::Acting acting(child);
        limit(FL_RLIMIT_NPROC, 2);
        must(call(sys_setuid, user));
        must(fork1(frame, {}));
        must_fail(Error::TryAgain, fork1(frame, {}));
    }
}

TEST(Fork, does_not_count_the_processes_of_root) {
    limit(FL_RLIMIT_NPROC, 1);
    must(fork1(frame, {}));
}

TEST(Fork, says_try_again_when_every_pid_is_taken) {
    start_again(smallest_pid_max);
    while (pids_in_use() < smallest_pid_max) {
        must(fork1(frame, {}));
    }
    References references(me());
    must_fail(Error::TryAgain, fork1(frame, {}));
    references.check();
}

TEST(Fork, crosses_the_wrap_of_the_pids_and_skips_who_lives) {
    start_again(smallest_pid_max);
    Proc& survivor = forked();
    Pid last = Pid::None;
    for (int i = 0; i < 2 * smallest_pid_max; ++i) {
        Proc& child = forked();
        CHECK_TRUE(child.pid != survivor.pid && child.pid != last);
        last = child.pid;
        finish(child);
    }
}

namespace {

constexpr Step identity_steps[] = {
    {"process slot", Error::TryAgain},  {"policy", Error::NotPermitted},       {"pid", Error::TryAgain},
    {"proc", Error::NoMemory},          {"statistics", Error::NoMemory},       {"descriptors", Error::NoMemory},
    {"signal actions", Error::NoMemory}};

}  // namespace

TEST(Fork, fails_at_each_step_with_its_error_and_leaves_nothing) {
    static constexpr Step steps[] = {
        {"process slot", Error::TryAgain},    {"policy", Error::NotPermitted},     {"pid", Error::TryAgain},
        {"proc", Error::NoMemory},            {"statistics", Error::NoMemory},     {"descriptors", Error::NoMemory},
        {"signal actions", Error::NoMemory},  {"address space", Error::NoMemory},  {"root table", Error::NoMemory},
        {"region of data", Error::NoMemory},  {"last table", Error::NoMemory},     {"middle table", Error::NoMemory},
        {"shared region", Error::NoMemory},   {"region of text", Error::NoMemory}, {"task", Error::NoMemory},
        {"kernel stack", Error::NoMemory},    {"thread", Error::NoMemory},         {"uthread", Error::NoMemory}};
    touch_memory();
    open_file();
    finish(forked());       // each zone has an element at hand: a page for a zone is another test's step
    References references(me());
    expect_steps(steps, [&] { return fork1(frame, {}); }, [&](Result<Pid>& pid) { finish(find(pid.value())); });
    references.check();
}

TEST(Fork, fails_at_each_page_that_it_copies_eagerly) {
    touch_memory();
    set_fork_copy_mode(CopyMode::Eager);
    finish(forked());
    References references(me());
    uint64_t steps = sweep([&] { return fork1(frame, {}); }, [&](Result<Pid>& pid) { finish(find(pid.value())); },
                           [&](uint64_t step, Error error) {
                               Error expected = step < 7 ? identity_steps[step].error : Error::NoMemory;
                               LONGS_EQUAL(static_cast<int>(expected), static_cast<int>(error));
                               references.check();
                           });
    UNSIGNED_LONGS_EQUAL(18 + data_pages + 1, steps);       // the private pages: data and text
}

TEST(Fork, fails_cleanly_also_when_a_zone_has_to_grow) {
    touch_memory();
    References references(me());
    sweep([&] {
              zone_reclaim();
              return fork1(frame, {});
          },
          [&](Result<Pid>& pid) { finish(find(pid.value())); }, [&](uint64_t, Error) { references.check(); });
    references.check();
}

// --- the first process ---

TEST(Fork, made_init_from_the_kernels_process) {
    Proc& init = host::init();
    LONGS_EQUAL(1, number(init.pid));
    CHECK_TRUE(init.parent == &kernel_proc() && init.group == kernel_proc().group);
    CHECK_TRUE(init.credentials->is_root());
    CHECK_TRUE(init.limits.get() == kernel_proc().limits.get());
}

TEST(Fork, of_the_kernel_fails_at_each_step_and_leaves_nothing) {
    // Nobody waits in the kernel: its child goes to init, which collects it.
    action(kernel_proc(), FL_SIGCHLD).handler = FL_SIG_IGN;
    finish(forked());
    Thread& shell = *cpu::current_thread();
    References references(kernel_proc());
    uint64_t steps = sweep(
        [&]() -> Result<Pid> {
            host::Acting acting(outside());
            return cloneproc_init([](void*) {}, nullptr);
        },
        [&](Result<Pid>& pid) {
            host::end(find(pid.value()), 0);
            LONGS_EQUAL(number(pid.value()), must(host::collect(host::init(), pid.value())));
        },
        [&](uint64_t, Error) { references.check(); });
    UNSIGNED_LONGS_EQUAL(6 + 2 + 4, steps);     // as fork without a policy; an empty space; task, stack, thread, uthread
    POINTERS_EQUAL(&shell, cpu::current_thread());
    action(kernel_proc(), FL_SIGCHLD).handler = FL_SIG_DFL;
}
