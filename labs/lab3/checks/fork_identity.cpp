// Lab 3, the child's identity: what forkproc makes of init. No task, no thread, no memory.
#include "kernel/fs/memory_file.h"
#include "kernel/fs/root.h"
#include "kernel/proc/sys_files.h"
#include "lab3/checks/fork_check.h"
#include "machine/clock.h"

TEST_GROUP_BASE(ForkIdentity, Init) {
    ZoneOwned<Proc> child;

    void teardown() override {
        failpoint::disarm();
        child.reset();
        Init::teardown();
    }
    Proc& made() {
        child = must(forkproc(me(), a_slot()));
        CHECK_TRUE_TEXT(child.get() != nullptr && child.get() != &me(), "forkproc gave no process");
        return *child;
    }
    static Ref<Vnode> a_vnode() { return Ref<Vnode>::adopt(*must(MemoryFile::create({}, 0755)).release()); }
    static Ref<Credentials> some_credentials() {
        Ref<Credentials> copy = must(me().credentials->copy());
        copy->effective_uid = 1000;
        return copy;
    }
    // A file that init has open, with ten bytes in it.
    static int open_file() {
        constexpr UserAddr text{0x20'0000};
        host::add_file("/tmp/file", "0123456789");
        AddressSpace& space = *me().task->space;
        must(space.map(text, page_size, Protection::read_write(), {.fixed = true}));
        must(space.store(text, "/tmp/file", sizeof "/tmp/file"));
        UserFrame frame{};
        frame.x[0] = text.value;
        frame.x[1] = FL_O_RDWR;
        const int fd = static_cast<int>(must(sys_open(frame)));
        must(space.unmap(text, page_size));
        return fd;
    }
    static uint64_t where(FileTable& files, int fd) { return must(must(files.get(fd))->seek(0, FL_SEEK_CUR)); }
};

TEST(ForkIdentity, holds_a_number_and_a_slot_and_is_seen_by_nobody) {
    const size_t pids = pids_in_use(), slots = process_slots_taken(), seen = processes_seen();
    const Pid pid = made().pid;
    CHECK_TRUE_TEXT(pid != me().pid && pid_in_use(pid), "the number is not in use");
    UNSIGNED_LONGS_EQUAL_TEXT(pids + 1, pids_in_use(), "numbers in use");
    UNSIGNED_LONGS_EQUAL_TEXT(slots + 1, process_slots_taken(), "slots taken: the child holds the one that forkproc was given");
    UNSIGNED_LONGS_EQUAL_TEXT(seen, processes_seen(), "processes in the table");
    CHECK_TRUE_TEXT(seen_process(pid) == nullptr && !is_child_of(*child, me()), "others can find a child that is half made");
    CHECK_TRUE_TEXT(!child->task && child->state == ProcState::Creating, "forkproc makes no task and does not publish");
    child.reset();
    CHECK_FALSE_TEXT(pid_in_use(pid), "the number outlives the process");
    UNSIGNED_LONGS_EQUAL_TEXT(pids, pids_in_use(), "numbers in use when the child was dropped");
    UNSIGNED_LONGS_EQUAL_TEXT(slots, process_slots_taken(), "slots taken when the child was dropped");
}

TEST(ForkIdentity, copies_every_field_of_inherited) {
    CheckRandom random;
    Inherited& mine = me().inherited;
    for (size_t i = 0; i + 1 < sizeof mine.name; ++i) {
        mine.name[i] = static_cast<char>('a' + random.below(26));
    }
    mine.nice = static_cast<int8_t>(1 + random.below(19));
    mine.file_mode_mask = 1 + static_cast<uint32_t>(random.below(0777));
    mine.responsible = static_cast<Pid>(2 + random.below(100));
    mine.executable_set_id = true;
    const Inherited& its = made().inherited;
    STRCMP_EQUAL_TEXT(mine.name, its.name, "the name");
    LONGS_EQUAL_TEXT(mine.nice, its.nice, "the nice level");
    UNSIGNED_LONGS_EQUAL_TEXT(mine.file_mode_mask, its.file_mode_mask, "the file mode mask");
    LONGS_EQUAL_TEXT(number(mine.responsible), number(its.responsible), "the responsible process");
    CHECK_TRUE_TEXT(its.executable_set_id, "that the program file gave it its identity");
}

TEST(ForkIdentity, refers_to_credentials_limits_directory_and_program) {
    me().directory = a_vnode();
    me().program = a_vnode();
    const uint32_t before[] = {me().credentials->references(), me().limits->references(), me().directory->references(),
                               me().program->references()};
    made();
    CHECK_TRUE_TEXT(child->credentials.get() == me().credentials.get(), "the child has other credentials");
    CHECK_TRUE_TEXT(child->limits.get() == me().limits.get(), "the child has limits of its own before anybody wrote");
    CHECK_TRUE_TEXT(child->directory.get() == me().directory.get(), "the child is in another directory");
    CHECK_TRUE_TEXT(child->program.get() == me().program.get(), "the child has another program file");
    UNSIGNED_LONGS_EQUAL_TEXT(before[0] + 1, me().credentials->references(), "references to the credentials");
    UNSIGNED_LONGS_EQUAL_TEXT(before[1] + 1, me().limits->references(), "references to the limits");
    UNSIGNED_LONGS_EQUAL_TEXT(before[2] + 1, me().directory->references(), "references to the directory");
    UNSIGNED_LONGS_EQUAL_TEXT(before[3] + 1, me().program->references(), "references to the program file");
    child.reset();
    UNSIGNED_LONGS_EQUAL_TEXT(before[2], me().directory->references(), "references to the directory when the child was dropped");
}

TEST(ForkIdentity, prefers_credentials_that_the_calling_thread_assumed) {
    current_uthread().assumed = some_credentials();
    made();
    CHECK_TRUE_TEXT(child->credentials.get() == current_uthread().assumed.get(), "the child has the process's credentials, not the thread's");
    UNSIGNED_LONGS_EQUAL_TEXT(2, child->credentials->references(), "references to the thread's credentials");
    current_uthread().assumed.reset();
}

TEST(ForkIdentity, prefers_a_directory_that_the_calling_thread_took) {
    me().directory = a_vnode();
    current_uthread().directory = a_vnode();
    made();
    CHECK_TRUE_TEXT(child->directory.get() == current_uthread().directory.get(), "the child is in the process's directory, not in the thread's");
    UNSIGNED_LONGS_EQUAL_TEXT(2, child->directory->references(), "references to the thread's directory");
    current_uthread().directory.reset();
}

TEST(ForkIdentity, duplicates_the_descriptors_which_share_their_offsets) {
    const int fd = open_file();
    made();
    CHECK_TRUE_TEXT(child->files.get() != nullptr && child->files.get() != me().files.get(), "the child has no file table of its own");
    must(must(child->files->get(fd))->seek(4, FL_SEEK_SET));
    UNSIGNED_LONGS_EQUAL_TEXT(4, where(*me().files, fd), "where the parent reads on when the child moved to byte 4");
    must(child->files->close(fd));
    UNSIGNED_LONGS_EQUAL_TEXT(4, where(*me().files, fd), "the parent's descriptor when the child closed its own");
}

TEST(ForkIdentity, duplicates_the_signal_actions) {
    me().signals.actions->actions[FL_SIGUSR1].handler = 0x1234;
    me().signals.actions->actions[FORKLORE_NSIG - 1].handler = 0x4321;
    made();
    CHECK_TRUE_TEXT(child->signals.actions.get() != nullptr && child->signals.actions.get() != me().signals.actions.get(),
                    "the child has no signal actions of its own");
    UNSIGNED_LONGS_EQUAL_TEXT(0x1234, child->signals.actions->actions[FL_SIGUSR1].handler, "the child's handler");
    UNSIGNED_LONGS_EQUAL_TEXT(0x4321, child->signals.actions->actions[FORKLORE_NSIG - 1].handler, "the handler of the last signal");
    child->signals.actions->actions[FL_SIGUSR1].handler = 0x5678;
    UNSIGNED_LONGS_EQUAL_TEXT(0x1234, me().signals.actions->actions[FL_SIGUSR1].handler, "the parent's handler when the child changed its own");
}

TEST(ForkIdentity, begins_with_fresh_statistics_and_a_start_time_of_its_own) {
    ProcStats& mine = *me().stats;
    mine.minor_faults = mine.signals = mine.voluntary_switches = mine.involuntary_switches = mine.peak_pages = 9;
    mine.user = mine.system = 9;
    mine.children = ForkloreUsage{.user = {.seconds = 9}};
    const uint64_t started = mine.start;
    host::set_clock(machine_clock::now() + 12'345);
    made();
    CHECK_TRUE_TEXT(child->stats.get() != nullptr && child->stats.get() != &mine, "the child has no statistics of its own");
    const ProcStats& its = *child->stats;
    UNSIGNED_LONGS_EQUAL_TEXT(machine_clock::now(), its.start, "when the child started");
    UNSIGNED_LONGS_EQUAL_TEXT(started, mine.start, "when the parent started");
    UNSIGNED_LONGS_EQUAL_TEXT(0, its.minor_faults + its.signals + its.voluntary_switches + its.involuntary_switches + its.peak_pages,
                              "faults, signals, switches and pages of a child that never ran");
    UNSIGNED_LONGS_EQUAL_TEXT(0, its.user + its.system, "the time that a child used which never ran");
    CHECK_FALSE_TEXT(its.children.has_value(), "a child that collected nobody has a sum of what its children used");
}

TEST(ForkIdentity, has_ids_that_never_repeat_and_nothing_pending) {
    me().signals.pending = signal_bit(FL_SIGUSR1);
    IntervalTimer& alarm = me().interval_timers[FL_ITIMER_REAL];
    alarm.set({.interval = 77, .left = 77});
    me().has_execed = true;
    const uint64_t id = made().unique_id;
    const uint32_t version = child->id_version;
    UNSIGNED_LONGS_EQUAL_TEXT(0, child->signals.pending, "pending signals");
    const IntervalTimer::Setting its_alarm = child->interval_timers[FL_ITIMER_REAL].setting();
    UNSIGNED_LONGS_EQUAL_TEXT(0, its_alarm.interval + its_alarm.left, "the alarm");
    CHECK_TRUE_TEXT(child->children.empty() && !child->has_execed, "the child has children, or has exec'ed");
    me().signals.pending = 0;
    alarm.set({});
    child.reset();
    made();
    CHECK_TRUE_TEXT(id > me().unique_id && child->unique_id > id, "a later process has a higher unique id");
    CHECK_TRUE_TEXT(version > me().id_version && child->id_version > version, "a later process has a higher id version");
}

TEST(ForkIdentity, gives_everything_back_whichever_step_fails) {
    const int fd = open_file();
    me().directory = a_vnode();
    made();                 // zones are made by their first use
    child.reset();
    References references(me());
    size_t try_again = 0;
    const uint64_t steps = sweep(
        [&]() -> Result<ZoneOwned<Proc>> {
            ProcSlot slot = TRY(ProcSlot::reserve(*me().credentials, FL_RLIM_INFINITY));
            return forkproc(me(), std::move(slot));
        },
        [](Result<ZoneOwned<Proc>>& one) { ZoneOwned<Proc> dropped = std::move(one).value(); },
        [&](uint64_t, Error error) {
            CHECK_TRUE_TEXT(error == Error::TryAgain || error == Error::NoMemory, "the error is not the failing step's");
            try_again += error == Error::TryAgain;
            references.check();
        });
    UNSIGNED_LONGS_EQUAL_TEXT(2, try_again, "steps that say TryAgain: the slot, which the check took, and the number");
    CHECK_TRUE_TEXT(steps >= 6, "slot, number, process, statistics, descriptors and signal actions may each be refused");
    references.check();
    UNSIGNED_LONGS_EQUAL(0, where(*me().files, fd));
}
