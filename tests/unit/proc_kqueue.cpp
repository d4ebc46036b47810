// Queues of events: that fork leaves them behind, that what is told is what happened, and that nothing is left of what fails.
#include "kernel/proc/kqueue.h"
#include "unit/proc_support.h"

#include "kernel/proc/calls.h"

TEST_GROUP_BASE(Kqueues, ProcessTest) {
    static constexpr UserAddr changes = data, events = data + page_size, timeout = data + 2 * page_size;
    int queue = -1;

    void setup() override {
        ProcessTest::setup();
        touch_memory();         // so that no page of it is a step that can fail
        queue = static_cast<int>(must(call(sys_kqueue)));
    }

    Result<uint64_t> change(const ForkloreKevent& wish) {
        must(space().store(changes, &wish, sizeof wish));
        return kevent(1, 0);
    }
    Result<uint64_t> kevent(unsigned change_count, unsigned event_count) {
        const ForkloreTime at_once{};
        must(space().store(timeout, &at_once, sizeof at_once));
        frame.x[4] = event_count;
        frame.x[5] = timeout.value;
        frame.x[0] = static_cast<uint64_t>(queue);
        frame.x[1] = changes.value;
        frame.x[2] = change_count;
        frame.x[3] = events.value;
        return sys_kevent(frame);
    }
    // The next event; its filter is 0 if there is none.
    ForkloreKevent next() {
        ForkloreKevent event{};
        if (must(kevent(0, 1)) == 1) {
            must(space().load(&event, events, sizeof event));
        }
        return event;
    }
    static ForkloreKevent of_process(const Proc& proc, uint32_t notes, uint16_t flags = FL_EV_ADD) {
        return {.ident = static_cast<uint64_t>(number(proc.pid)), .filter = FL_EVFILT_PROC, .flags = flags, .fflags = notes, .data = 0, .udata = 5};
    }
};

TEST(Kqueues, are_left_behind_by_every_kind_of_child) {
    Proc& child = forked();
    must_fail(Error::BadDescriptor, child.files->get(queue));
    CHECK_TRUE(me().files->get(queue).ok());
    lent();
    must_fail(Error::BadDescriptor, me().files->get(queue));
    vfork_exit(frame, 0);
    CHECK_TRUE(me().files->get(queue).ok());
}

TEST(Kqueues, tell_of_forks_and_exits_and_then_end_the_watch) {
    Proc& child = forked();
    must(change(of_process(child, FL_NOTE_FORK | FL_NOTE_EXIT)));
    LONGS_EQUAL(0, next().filter);
    {
        host::Acting acting(child);
        must(fork1(frame, {}));
    }
    ForkloreKevent event = next();
    UNSIGNED_LONGS_EQUAL(FL_NOTE_FORK, event.fflags);
    LONGS_EQUAL(number(child.pid) + 1, event.data);
    UNSIGNED_LONGS_EQUAL(5, event.udata);
    const Pid pid = child.pid;
    host::end(child, 0x700);
    event = next();
    UNSIGNED_LONGS_EQUAL(FL_NOTE_EXIT, event.fflags);
    LONGS_EQUAL(0x700, event.data);
    CHECK_TRUE((event.flags & FL_EV_EOF) != 0);
    LONGS_EQUAL(0, next().filter);
    collect(pid);
}

TEST(Kqueues, start_no_watch_in_a_child) {
    must(change(of_process(me(), FL_NOTE_FORK)));
    Proc& child = forked();
    SpinGuard guard(families_lock);
    CHECK_TRUE(child.watches.empty() && !me().watches.empty());
}

TEST(Kqueues, leave_no_watch_behind_when_they_are_closed_or_changed) {
    must(change(of_process(me(), FL_NOTE_FORK)));
    must(change(of_process(me(), 0, FL_EV_DELETE)));
    must_fail(Error::NoEntry, change(of_process(me(), 0, FL_EV_DELETE)));
    must(change(of_process(me(), FL_NOTE_FORK)));
    must(me().files->close(queue));
    forked();       // tells nobody
    SpinGuard guard(families_lock);
    CHECK_TRUE(me().watches.empty());
}

TEST(Kqueues, leave_nothing_when_a_step_of_making_or_changing_one_fails) {
    static constexpr Step making[] = {{"descriptor", Error::TooManyFiles}, {"queue", Error::NoMemory}, {"file", Error::NoMemory}};
    expect_steps(making, [&] { return call(sys_kqueue); },
                 [&](Result<uint64_t>& fd) { must(me().files->close(static_cast<int>(fd.value()))); });
    const ForkloreKevent wish = of_process(me(), FL_NOTE_EXIT);
    static constexpr Step changing[] = {{"time", Error::BadAddress}, {"change", Error::BadAddress}, {"note", Error::NoMemory}};
    expect_steps(changing, [&] { return change(wish); }, [&](Result<uint64_t>&) { must(change(of_process(me(), 0, FL_EV_DELETE))); });
}

TEST(Kqueues, are_no_step_of_fork_that_can_fail) {
    must(change(of_process(me(), FL_NOTE_FORK)));
    finish(forked());
    next();
    sweep([&] { return fork1(frame, {}); }, [&](Result<Pid>& pid) { finish(find(pid.value())); },
          [&](uint64_t, Error) { LONGS_EQUAL(0, next().filter); });     // who failed to fork is not told of
    UNSIGNED_LONGS_EQUAL(FL_NOTE_FORK, next().fflags);
}
