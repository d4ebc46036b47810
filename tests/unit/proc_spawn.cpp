// posix_spawn on the host: what the child has, what attributes and file actions do, and what remains of a spawn that fails.
#include "kernel/proc/events.h"
#include "kernel/proc/spawn.h"
#include "kernel/proc/sys_files.h"
#include "proc_support.h"

TEST_GROUP_BASE(Spawn, ProcessTest) {
    // What the caller's program has in one page: the array of paths, two paths, argv and its string, actions and their path.
    static constexpr UserAddr paths = data, first_path = data + 64, second_path = data + 128, argv = data + 256,
                              string = data + 320, wanted_at = data + 384, actions_at = data + 512, action_path = data + 1024;
    ForkloreSpawn wanted{};

    void setup() override {
        ProcessTest::setup();
        host::add_program("/tmp/program");
        host::add_program("/tmp/set_user", {.mode = 06755, .uid = user, .gid = 7});
        host::add_file("/tmp/script", "#!/tmp/program -x\n");
        host::add_file("/tmp/file", "0123456789");
        program("/tmp/program");
        put_string(string, "argument");
        put(argv, string.value);
        put(argv + 8, 0);
        wanted.actions = actions_at.value;
    }
    void program(std::string_view path) {
        put_string(first_path, path);
        put(paths, first_path.value);
        put(paths + 8, 0);
    }
    void add_action(const ForkloreSpawnAction& action) {
        must(space().store(actions_at + wanted.action_count++ * sizeof action, &action, sizeof action));
    }
    void add_open(std::string_view path, int fd, uint32_t flags) {
        put_string(action_path, path);
        add_action({.kind = FL_SPAWN_OPEN, .fd = fd, .flags = flags, .path = action_path.value});
    }
    Result<uint64_t> try_spawn() {
        must(space().store(wanted_at, &wanted, sizeof wanted));
        return call(sys_posix_spawn, paths.value, wanted_at.value, argv.value, argv.value);
    }
    Proc& spawned() { return find(static_cast<Pid>(must(try_spawn()))); }
    int open_file() {
        put_string(action_path, "/tmp/file");
        return static_cast<int>(must(call(sys_open, action_path.value, FL_O_RDWR, 0)));
    }
    ForkloreSigaction& action(Proc& proc, int signal) { return proc.signals.actions->actions[signal]; }
    static bool is_open(Proc& proc, int fd) { return proc.files->get(fd).ok(); }
};

// --- the child ---

TEST(Spawn, makes_a_child_that_starts_at_the_programs_entry) {
    Proc& child = spawned();
    Thread& thread = host::thread_of(child);
    CHECK_TRUE(child.parent == &me() && child.state == ProcState::Running && child.has_execed);
    POINTERS_EQUAL(&thread, host::started.back());
    UNSIGNED_LONGS_EQUAL(host::program_entry.value, thread.user_frame().pc);
    UNSIGNED_LONGS_EQUAL(0, thread.user_frame().x[5]);
    STRCMP_EQUAL("program", child.inherited.name);
}

TEST(Spawn, copies_no_page_of_the_caller_and_touches_no_register) {
    touch_memory();
    put_string(first_path, "/tmp/program");
    program("/tmp/program");
    put(argv, 0);
    Proc& child = spawned();
    uint64_t word = 0;
    must_fail(Error::BadAddress, space_of(child).load(&word, data, sizeof word));
    UNSIGNED_LONGS_EQUAL(55, frame.x[5]);
    UNSIGNED_LONGS_EQUAL(0, word_of(space_of(child), UserAddr(host::thread_of(child).user_frame().sp)));
}

TEST(Spawn, gives_the_program_its_arguments) {
    Proc& child = spawned();
    UserAddr stack(host::thread_of(child).user_frame().sp);
    UNSIGNED_LONGS_EQUAL(1, word_of(space_of(child), stack));
    char words[9] = {};
    must(space_of(child).load(words, UserAddr(word_of(space_of(child), stack + 8)), sizeof words));
    STRCMP_EQUAL("argument", words);
}

TEST(Spawn, hands_on_what_fork_hands_on) {
    me().inherited.nice = 5;
    me().inherited.io_policy = FL_IO_UTILITY;
    current_uthread().alternate = {.base = 0x1000, .flags = 0, .reserved = 0, .size = 0x2000};
    me().inherited.file_mode_mask = 077;
    current_uthread().mask = signal_bit(FL_SIGUSR1);
    Proc& child = spawned();
    LONGS_EQUAL(5, host::thread_of(child).nice.load());
    UNSIGNED_LONGS_EQUAL(077, child.inherited.file_mode_mask);
    UNSIGNED_LONGS_EQUAL(FL_IO_UTILITY, child.inherited.io_policy);
    UNSIGNED_LONGS_EQUAL(FL_SS_DISABLE, host::thread_of(child).uthread->alternate.flags);      // its memory is gone
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), host::thread_of(child).uthread->mask);
    CHECK_TRUE(child.group == me().group && child.limits.get() == me().limits.get());
    CHECK_TRUE(child.credentials.get() == me().credentials.get());
}

TEST(Spawn, gives_a_coalition_and_a_persona_that_forks_hand_on) {
    wanted.flags = FL_SPAWN_NEWCOALITION | FL_SPAWN_SETPERSONA;
    wanted.persona_name = string.value;
    Proc& child = spawned();
    Coalition& coalition = *child.inherited.coalition;
    Persona& persona = *child.inherited.persona;
    CHECK_TRUE(&coalition != me().inherited.coalition.get() && !me().inherited.persona);
    STRCMP_EQUAL("argument", persona.info.name);
    host::Acting acting(child);
    Proc& grandchild = forked();
    POINTERS_EQUAL(&coalition, grandchild.inherited.coalition.get());
    POINTERS_EQUAL(&persona, grandchild.inherited.persona.get());
    UNSIGNED_LONGS_EQUAL(2, coalition.references());
    UNSIGNED_LONGS_EQUAL(2, persona.references());
    finish(grandchild);
    SpinGuard guard(families_lock);
    const ForkloreCoalitionInfo sum = coalition.sum_locked();
    UNSIGNED_LONGS_EQUAL(1, sum.members);
    UNSIGNED_LONGS_EQUAL(1, sum.ended);
}

TEST(Spawn, resets_handlers_and_closes_what_is_marked_in_the_child_alone) {
    int fd = open_file();
    must(call(sys_fcntl, fd, FL_F_SETFD, FL_FD_CLOEXEC));
    action(me(), FL_SIGUSR1).handler = 0x1234;
    action(me(), FL_SIGUSR2).handler = FL_SIG_IGN;
    Proc& child = spawned();
    CHECK_TRUE(is_open(me(), fd) && !is_open(child, fd));
    UNSIGNED_LONGS_EQUAL(FL_SIG_DFL, action(child, FL_SIGUSR1).handler);
    UNSIGNED_LONGS_EQUAL(FL_SIG_IGN, action(child, FL_SIGUSR2).handler);
    UNSIGNED_LONGS_EQUAL(0x1234, action(me(), FL_SIGUSR1).handler);
}

TEST(Spawn, follows_scripts_and_set_id_bits) {
    program("/tmp/script");
    Proc& script = spawned();
    UNSIGNED_LONGS_EQUAL(3, word_of(space_of(script), UserAddr(host::thread_of(script).user_frame().sp)));
    program("/tmp/set_user");
    Proc& child = spawned();
    UNSIGNED_LONGS_EQUAL(user, child.credentials->effective_uid);
    UNSIGNED_LONGS_EQUAL(root_uid, child.credentials->real_uid);
    CHECK_TRUE(child.inherited.executable_set_id && me().credentials->effective_uid == root_uid);
}

TEST(Spawn, takes_the_first_of_its_paths_that_can_be_executed) {
    put_string(second_path, "/tmp/file");       // no program, and may not be executed
    host::add_file("/tmp/private", "x", {.mode = 0600});
    put_string(data + 1536, "/tmp/private");
    put(paths, second_path.value);
    put(paths + 8, (data + 1536).value);
    put(paths + 16, first_path.value);
    put(paths + 24, 0);
    host::add_file("/tmp/none", "");
    must_fail(Error::NotExecutable, try_spawn());     // what could be executed and is no program ends the search
    put_string(second_path, "/tmp/nothing");
    STRCMP_EQUAL("program", spawned().inherited.name);
    put(paths + 16, 0);
    must_fail(Error::AccessDenied, try_spawn());
    put(paths + 8, 0);
    must_fail(Error::NoEntry, try_spawn());
}

TEST(Spawn, from_a_loan_makes_a_child_of_the_child) {
    Proc& borrower = lent();
    Proc& child = spawned();
    CHECK_TRUE(child.parent == &borrower && me().loans == 0 && current_uthread().loan.has_value());
    const Pid pid = child.pid;
    host::end(child, 0);
    LONGS_EQUAL(number(pid), must(host::collect(borrower, pid)));
    vfork_exit(frame, 0);
    collect(static_cast<Pid>(3));
}

namespace {

struct {
    ProcEvent event;
    Pid actor, subject;
} heard[8];
unsigned heard_count;

}  // namespace

TEST(Spawn, is_told_of_as_a_fork_by_the_parent_and_an_exec_by_the_child) {
    heard_count = 0;
    proc_listener = [](ProcEvent event, Pid actor, Pid subject) { heard[heard_count++ % 8] = {event, actor, subject}; };
    const uint64_t before = spawns_ever();
    Pid child = spawned().pid;
    proc_listener = nullptr;
    UNSIGNED_LONGS_EQUAL(3, heard_count);
    const ProcEvent order[] = {ProcEvent::Fork, ProcEvent::Create, ProcEvent::Exec};
    for (unsigned i = 0; i < 3; ++i) {
        CHECK_TRUE(heard[i].event == order[i] && heard[i].subject == child);
        CHECK_TRUE(heard[i].actor == (order[i] == ProcEvent::Exec ? child : me().pid));
    }
    UNSIGNED_LONGS_EQUAL(before + 1, spawns_ever());
}

// --- attributes ---

TEST(Spawn, puts_the_child_into_a_group_of_its_own_or_an_existing_one) {
    wanted.flags = FL_SPAWN_SETPGROUP;
    Proc& leader = spawned();
    CHECK_TRUE(leader.group->id == leader.pid && leader.group->session.get() == me().group->session.get());
    wanted.group = number(leader.pid);
    CHECK_TRUE(spawned().group == leader.group);
    wanted.group = 777;
    must_fail(Error::NotPermitted, try_spawn());
    wanted.flags = FL_SPAWN_SETSID;
    wanted.group = number(spawned().pid);       // of another session
    wanted.flags = FL_SPAWN_SETPGROUP;
    must_fail(Error::NotPermitted, try_spawn());
    wanted.group = -1;
    must_fail(Error::Invalid, try_spawn());
}

TEST(Spawn, a_child_with_a_session_of_its_own_leads_it_and_has_no_terminal) {
    me().has_terminal = true;
    me().group->session->terminal = reinterpret_cast<Terminal*>(0x1000);
    CHECK_TRUE(spawned().has_terminal);
    wanted.flags = FL_SPAWN_SETSID;
    Proc& child = spawned();
    CHECK_TRUE(child.group->id == child.pid && child.group->session->id == child.pid);
    CHECK_TRUE(child.group->session->leader == &child && !child.has_terminal);
    me().group->session->terminal = nullptr;
    me().has_terminal = false;
    wanted.flags |= FL_SPAWN_SETPGROUP;
    must_fail(Error::NotPermitted, try_spawn());
}

TEST(Spawn, sets_mask_and_default_signals) {
    action(me(), FL_SIGUSR2).handler = FL_SIG_IGN;
    action(me(), FL_SIGTERM).handler = FL_SIG_IGN;
    wanted.flags = FL_SPAWN_SETSIGDEF | FL_SPAWN_SETSIGMASK;
    wanted.defaults = signal_bit(FL_SIGUSR2);
    wanted.mask = signal_bit(FL_SIGINT) | signal_bit(FL_SIGKILL);
    Proc& child = spawned();
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGINT), host::thread_of(child).uthread->mask);
    UNSIGNED_LONGS_EQUAL(FL_SIG_DFL, action(child, FL_SIGUSR2).handler);
    UNSIGNED_LONGS_EQUAL(FL_SIG_IGN, action(child, FL_SIGTERM).handler);
    UNSIGNED_LONGS_EQUAL(0, current_uthread().mask);
}

TEST(Spawn, resets_effective_ids_before_it_opens_anything) {
    Ref<Credentials> raised = must(me().credentials->copy());
    raised->real_uid = user;
    raised->real_gid = 7;
    std::swap(me().credentials, raised);
    host::add_file("/tmp/secret", "x", {.mode = 0600});
    add_open("/tmp/secret", 3, FL_O_RDONLY);
    Pid child = spawned().pid;
    CHECK_TRUE(find(child).credentials->effective_uid == root_uid && is_open(find(child), 3));
    wanted.flags = FL_SPAWN_RESETIDS;
    must_fail(Error::AccessDenied, try_spawn());
    wanted.action_count = 0;
    Proc& own = spawned();
    CHECK_TRUE(own.credentials->effective_uid == user && own.credentials->effective_gid == 7);
    CHECK_TRUE(own.credentials->saved_uid == user && own.credentials->saved_gid == 7);
    finish(own);
    finish(find(child));
    std::swap(me().credentials, raised);
}

TEST(Spawn, refuses_flags_that_it_does_not_know_and_too_many_actions) {
    wanted.flags = 0x4;
    must_fail(Error::Invalid, try_spawn());
    wanted = {};
    wanted.action_count = FORKLORE_SPAWN_ACTIONS_MAX + 1;
    must_fail(Error::Invalid, try_spawn());
    must_fail(Error::BadAddress, call(sys_posix_spawn, paths.value, 8, argv.value, 0));
    must_fail(Error::BadAddress, call(sys_posix_spawn, 0, 0, argv.value, 0));
    finish(find(static_cast<Pid>(must(call(sys_posix_spawn, paths.value, 0, 0, 0)))));
}

// --- file actions ---

TEST(Spawn, opens_duplicates_and_closes_in_the_child_alone) {
    int fd = open_file();
    int closed = static_cast<int>(must(call(sys_dup, fd)));
    add_action({.kind = FL_SPAWN_CLOSE, .fd = closed});
    add_action({.kind = FL_SPAWN_CLOSE, .fd = 200});            // is not open: nothing to do
    add_action({.kind = FL_SPAWN_DUP2, .fd = 7, .from = fd});
    add_open("/tmp/made", fd, FL_O_WRONLY | FL_O_CREAT | FL_O_CLOEXEC);
    add_open("/tmp/made", 9, FL_O_WRONLY);
    Proc& child = spawned();
    CHECK_TRUE(is_open(child, 7) && is_open(child, 9));
    CHECK_FALSE(is_open(child, fd) || is_open(child, closed));  // the new one was close-on-exec
    CHECK_TRUE(is_open(me(), fd) && is_open(me(), closed));
    CHECK_FALSE(is_open(me(), 7) || is_open(me(), 9));
}

TEST(Spawn, a_descriptor_duplicated_onto_itself_stays_open_in_the_program) {
    int fd = open_file();
    must(call(sys_fcntl, fd, FL_F_SETFD, FL_FD_CLOEXEC));
    add_action({.kind = FL_SPAWN_DUP2, .fd = fd, .from = fd});
    CHECK_TRUE(is_open(spawned(), fd));
    UNSIGNED_LONGS_EQUAL(FL_FD_CLOEXEC, must(call(sys_fcntl, fd, FL_F_GETFD, 0)));
}

TEST(Spawn, changes_the_directory_before_later_paths_and_the_program_are_looked_for) {
    put_string(action_path, "/tmp");
    add_action({.kind = FL_SPAWN_CHDIR, .path = action_path.value});
    program("program");
    Proc& child = spawned();
    CHECK_TRUE(child.directory.get() != me().directory.get());
    uint64_t tmp = must(call(sys_open, action_path.value, FL_O_RDONLY, 0));
    wanted.action_count = 0;
    add_action({.kind = FL_SPAWN_FCHDIR, .fd = static_cast<int32_t>(tmp)});
    POINTERS_EQUAL(child.directory.get(), spawned().directory.get());
    wanted.action_count = 0;
    must_fail(Error::NoEntry, try_spawn());
}

TEST(Spawn, the_first_file_action_that_fails_is_the_calls_error) {
    struct {
        ForkloreSpawnAction action;
        Error error;
    } static constexpr cases[] = {
        {{.kind = FL_SPAWN_DUP2, .fd = 1, .from = 77}, Error::BadDescriptor},
        {{.kind = FL_SPAWN_DUP2, .fd = 5000, .from = 0}, Error::BadDescriptor},
        {{.kind = FL_SPAWN_CLOSE, .fd = -1}, Error::BadDescriptor},
        {{.kind = FL_SPAWN_CLOSE, .fd = FORKLORE_OPEN_MAX}, Error::BadDescriptor},
        {{.kind = FL_SPAWN_OPEN, .fd = -1, .path = first_path.value}, Error::BadDescriptor},
        {{.kind = FL_SPAWN_OPEN, .fd = 1, .path = 8}, Error::BadAddress},
        {{.kind = FL_SPAWN_OPEN, .fd = 1, .flags = 3, .path = first_path.value}, Error::Invalid},
        {{.kind = FL_SPAWN_CHDIR, .path = first_path.value}, Error::NotDirectory},
        {{.kind = FL_SPAWN_FCHDIR, .fd = 77}, Error::BadDescriptor},
        {{.kind = 99}, Error::Invalid}};
    must_fail(Error::NoEntry, (add_open("/tmp/nothing", 1, FL_O_RDONLY), try_spawn()));
    References references(me());
    for (const auto& one : cases) {
        wanted.action_count = 0;
        add_action(one.action);
        must_fail(one.error, try_spawn());
        references.check();
    }
}

// --- failure ---

TEST(Spawn, leaves_no_child_no_zombie_and_no_signal_when_it_fails) {
    program("/tmp/nothing");
    const Pid next = static_cast<Pid>(3);
    must_fail(Error::NoEntry, try_spawn());
    must_fail(Error::NoChild, host::collect(me(), static_cast<Pid>(-1)));
    UNSIGNED_LONGS_EQUAL(0, me().signals.pending);
    CHECK_FALSE(pid_in_use(next));
}

TEST(Spawn, by_who_has_been_killed_makes_no_child) {
    cpu::current_thread()->ask(ReturnWork::Kill);
    wanted.flags = FL_SPAWN_SETSID;
    Ledger ledger;
    must_fail(Error::Interrupted, try_spawn());
    cpu::current_thread()->done(ReturnWork::Kill);
    ledger.check();
}

TEST(Spawn, asks_policy_and_limits_as_fork_does) {
    set_fork_policy([](Proc&) -> Result<> { return Error::AccessDenied; });
    must_fail(Error::AccessDenied, try_spawn());
    set_fork_policy(nullptr);
    const size_t maximum = process_maximum();
    process_limit_init(process_slots_taken());
    must_fail(Error::TryAgain, try_spawn());
    process_limit_init(maximum);
}

TEST(Spawn, fails_at_each_step_with_its_error_and_leaves_nothing) {
    static constexpr Step child_steps[] = {
        {"attributes", Error::BadAddress},
        {"process slot", Error::TryAgain},
        {"policy", Error::NotPermitted},
        {"pid", Error::TryAgain},
        {"proc", Error::NoMemory},
        {"statistics", Error::NoMemory},
        {"descriptors", Error::NoMemory},
        {"signal actions", Error::NoMemory},
        {"session", Error::NoMemory},
        {"group", Error::NoMemory},
        {"credentials with own ids", Error::NoMemory},
        {"coalition", Error::NoMemory},
        {"name of the persona", Error::BadAddress},
        {"persona", Error::NoMemory},
        {"file action", Error::BadAddress},
        {"its path", Error::BadAddress},
        {"open file", Error::NoMemory},
        {"memory for a descriptor beyond the first thirty-two", Error::NoMemory},
        {"pointer to a path", Error::BadAddress},
    };
    static constexpr auto steps = joined(child_steps, program_steps, body_steps);
    wanted.flags = FL_SPAWN_SETSID | FL_SPAWN_RESETIDS | FL_SPAWN_SETSIGMASK | FL_SPAWN_SETSIGDEF | FL_SPAWN_NEWCOALITION | FL_SPAWN_SETPERSONA;
    wanted.persona_name = string.value;
    add_open("/tmp/file", 40, FL_O_RDONLY);
    finish(spawned());          // each zone has an element at hand
    must(space().store(wanted_at, &wanted, sizeof wanted));
    References references(me());
    expect_steps(
        steps.all, [&] { return call(sys_posix_spawn, paths.value, wanted_at.value, argv.value, argv.value); },
        [&](Result<uint64_t>& pid) { finish(find(static_cast<Pid>(pid.value()))); });
    references.check();
}

TEST(Spawn, fails_cleanly_also_when_a_zone_has_to_grow) {
    wanted.flags = FL_SPAWN_SETPGROUP;
    add_open("/tmp/file", 40, FL_O_RDONLY);
    finish(spawned());          // each zone exists
    must(space().store(wanted_at, &wanted, sizeof wanted));
    References references(me());
    sweep(
        [&] {
            zone_reclaim();
            return call(sys_posix_spawn, paths.value, wanted_at.value, argv.value, argv.value);
        },
        [&](Result<uint64_t>& pid) { finish(find(static_cast<Pid>(pid.value()))); },
        [&](uint64_t, Error) { references.check(); });
    references.check();
}
