// The kernel's trace: what a record says of a process's life, and what a full ring keeps.
#include "machine/trace.h"
#include "proc_support.h"

TEST_GROUP_BASE(Trace, ProcessTest) {
    static constexpr uint64_t capacity = 64;
    TraceRecord memory[max_cores * capacity];
    uint64_t looked_at = 0;     // records of this core that a test has seen

    void setup() override {
        ProcessTest::setup();
        trace::start(memory, capacity);
    }
    void teardown() override {
        trace::on = false;
        ProcessTest::teardown();
    }

    static const TraceRing& ring() { return trace_buffers.rings[cpu::current().id]; }
    // The next record of that kind.
    const TraceRecord& next(TraceKind kind) {
        while (looked_at < ring().written) {
            const TraceRecord& record = ring().records[looked_at++ % capacity];
            if (record.kind() == kind) {
                return record;
            }
        }
        FAIL("there is no such record");
        return memory[0];
    }
    void expect_state(Pid pid, ProcState from, ProcState to) {
        const TraceRecord& record = next(TraceKind::State);
        UNSIGNED_LONGS_EQUAL(number(pid), record.a);
        UNSIGNED_LONGS_EQUAL(static_cast<uint64_t>(from) | static_cast<uint64_t>(to) << 8, record.b & 0xffff);
    }
};

TEST(Trace, tells_a_childs_life_from_gather_to_reaping) {
    Proc& child = forked();
    const Pid pid = child.pid;
    finish(child);
    UNSIGNED_LONGS_EQUAL(number(pid), next(TraceKind::Gather).a);
    expect_state(pid, ProcState::Creating, ProcState::Running);
    const TraceRecord& published = next(TraceKind::Publish);
    UNSIGNED_LONGS_EQUAL(number(pid), published.a);
    UNSIGNED_LONGS_EQUAL(number(me().pid), published.b);
    expect_state(pid, ProcState::Running, ProcState::Exiting);
    expect_state(pid, ProcState::Exiting, ProcState::Zombie);
    const TraceRecord& gone = next(TraceKind::Gone);
    UNSIGNED_LONGS_EQUAL(number(pid), gone.a);
    UNSIGNED_LONGS_EQUAL(static_cast<uint64_t>(ProcState::Zombie), gone.b);
}

TEST(Trace, tells_of_a_child_that_was_never_finished) {
    failpoint::arm(4);
    CHECK_FALSE(fork1(frame, {}).ok());
    failpoint::disarm();
    const uint64_t pid = next(TraceKind::Gather).a;
    const TraceRecord& gone = next(TraceKind::Gone);
    UNSIGNED_LONGS_EQUAL(pid, gone.a);
    UNSIGNED_LONGS_EQUAL(static_cast<uint64_t>(ProcState::Creating), gone.b);
}

TEST(Trace, names_the_child_while_the_thread_is_on_loan) {
    const Pid parent = me().pid;
    const Pid child = lent().pid;
    trace::event(TraceKind::ZoneGrow, 1, 0);
    must(call(sys_exit, 0));
    trace::event(TraceKind::ZoneGrow, 2, 0);
    collect(child);
    const TraceRecord& on_loan = next(TraceKind::ZoneGrow);
    UNSIGNED_LONGS_EQUAL(number(child), on_loan.pid());
    const TraceRecord& home = next(TraceKind::ZoneGrow);
    UNSIGNED_LONGS_EQUAL(number(parent), home.pid());
    UNSIGNED_LONGS_EQUAL(on_loan.thread, home.thread);
    UNSIGNED_LONGS_EQUAL(cpu::current_thread()->tid, home.thread);
}

TEST(Trace, gives_the_name_of_a_program_with_its_exec) {
    host::add_program("/tmp/a_program");
    put_string(data, "/tmp/a_program");
    must(call(sys_execve, data.value, 0, 0));
    UNSIGNED_LONGS_EQUAL(number(me().pid), next(TraceKind::Exec).a);
    const TraceRecord& name = next(TraceKind::Text);
    MEMCMP_EQUAL("a_progra", &name.a, 8);
    MEMCMP_EQUAL("m\0\0\0\0\0\0", &name.b, 8);
}

TEST(Trace, of_a_full_ring_keeps_the_newest_and_counts_all) {
    const uint64_t before = ring().written;
    for (uint64_t i = 0; i < 3 * capacity; ++i) {
        trace::event(TraceKind::ZoneGrow, i, 0);
    }
    UNSIGNED_LONGS_EQUAL(before + 3 * capacity, ring().written);
    for (uint64_t i = 2 * capacity; i < 3 * capacity; ++i) {
        UNSIGNED_LONGS_EQUAL(i, ring().records[(before + i) % capacity].a);
    }
}

TEST(Trace, says_nothing_when_it_is_off) {
    const uint64_t before = ring().written;
    trace::on = false;
    finish(forked());
    UNSIGNED_LONGS_EQUAL(before, ring().written);
}
