// System V shared memory: what fork, vfork, exec and exit do to attachments, and that nothing is left of what fails.
#include "kernel/proc/shared_segment.h"
#include "unit/proc_support.h"

#include "kernel/proc/calls.h"

TEST_GROUP_BASE(SharedSegments, ProcessTest) {
    static constexpr UserAddr place{0x50'0000};
    int32_t id = -1;

    void setup() override {
        ProcessTest::setup();
        id = made(FL_IPC_PRIVATE, 3 * page_size, 0600);
    }
    void teardown() override {
        remove(id);
        ProcessTest::teardown();
    }

    int32_t made(int64_t key, uint64_t bytes, uint32_t flags) {
        return static_cast<int32_t>(must(call(sys_shmget, key, bytes, flags)));
    }
    void remove(int32_t segment) {
        if (segment >= 0) {
            must(call(sys_shmctl, segment, FL_IPC_RMID, 0));
        }
    }
    void attach(UserAddr at, uint32_t flags = 0) { LONGS_EQUAL(at.value, must(call(sys_shmat, id, at.value, flags))); }
    uint64_t attachments() { return must(SharedSegment::find(id, 0, me().credentials->identity()))->status().attachments; }
};

TEST(SharedSegments, are_the_same_memory_wherever_they_are_attached) {
    attach(place);
    attach(place + 16 * page_size, FL_SHM_RDONLY);
    put(place + page_size, 4711);
    UNSIGNED_LONGS_EQUAL(4711, word_of(space(), place + 17 * page_size));
    must_fail(Error::AccessDenied, space().store(place + 16 * page_size, "x", 1));
    must_fail(Error::AccessDenied, call(sys_mprotect, (place + 16 * page_size).value, page_size, FL_PROT_READ | FL_PROT_WRITE));
    UNSIGNED_LONGS_EQUAL(2, attachments());
}

TEST(SharedSegments, are_inherited_by_fork_and_dropped_by_exit) {
    for (CopyMode mode : {CopyMode::CopyOnWrite, CopyMode::Eager}) {
        set_fork_copy_mode(mode);
        attach(place);
        put(place, 1);
        Proc& child = forked();
        UNSIGNED_LONGS_EQUAL(2, attachments());
        put(place, 2);
        UNSIGNED_LONGS_EQUAL(2, word_of(space_of(child), place));
        finish(child);
        UNSIGNED_LONGS_EQUAL(1, attachments());
        must(call(sys_shmdt, place.value));
    }
}

TEST(SharedSegments, of_the_parent_are_borrowed_by_vfork) {
    attach(place);
    lent();
    UNSIGNED_LONGS_EQUAL(1, attachments());
    vfork_exit(frame, 0);
    UNSIGNED_LONGS_EQUAL(1, attachments());
}

TEST(SharedSegments, go_with_their_last_attachment_when_they_are_removed) {
    attach(place);
    put(place, 5);
    remove(id);
    must_fail(Error::Invalid, call(sys_shmat, id, 0, 0));
    Proc& child = forked();
    must(call(sys_shmdt, place.value));
    UNSIGNED_LONGS_EQUAL(5, word_of(space_of(child), place));
    finish(child);
    id = -1;        // the ledger sees that it is gone
}

TEST(SharedSegments, are_detached_whole_also_when_the_program_cut_them) {
    attach(place);
    must(call(sys_mprotect, (place + page_size).value, page_size, FL_PROT_READ));
    UNSIGNED_LONGS_EQUAL(3, attachments());
    must_fail(Error::Invalid, call(sys_shmdt, (place + page_size).value));
    must_fail(Error::Invalid, call(sys_shmdt, data.value));
    must(call(sys_shmdt, place.value));
    UNSIGNED_LONGS_EQUAL(0, attachments());
    must_fail(Error::BadAddress, space().store(place, "x", 1));
}

TEST(SharedSegments, are_attached_to_no_place_where_something_is) {
    must_fail(Error::Invalid, call(sys_shmat, id, data.value, 0));
    must_fail(Error::Invalid, call(sys_shmat, id, place.value + 1, 0));
    UNSIGNED_LONGS_EQUAL(0, attachments());
    LONGS_EQUAL(place.value, must(call(sys_shmat, id, place.value + 1, FL_SHM_RND)));
}

TEST(SharedSegments, leave_nothing_when_a_step_of_attaching_or_fork_fails) {
    attach(place);
    put(place, 1);
    finish(forked());
    sweep([&] { return fork1(frame, {}); }, [&](Result<Pid>& pid) { finish(find(pid.value())); },
          [&](uint64_t, Error) { UNSIGNED_LONGS_EQUAL(1, attachments()); });
    must(call(sys_shmdt, place.value));
    const uint64_t steps = sweep([&] { return call(sys_shmat, id, place.value, 0); },
                                 [&](Result<uint64_t>&) { must(call(sys_shmdt, place.value)); },
                                 [&](uint64_t, Error error) {
                                     LONGS_EQUAL(static_cast<int>(Error::NoMemory), static_cast<int>(error));
                                     UNSIGNED_LONGS_EQUAL(0, attachments());
                                 });
    UNSIGNED_LONGS_EQUAL(1, steps);     // the region
}

TEST(SharedSegments, leave_nothing_when_a_step_of_making_one_fails) {
    static constexpr Step steps[] = {
        {"page table", Error::NoMemory}, {"memory", Error::NoMemory}, {"segment", Error::NoMemory}};
    expect_steps(steps, [&] { return call(sys_shmget, 77, page_size, FL_IPC_CREAT | 0600); },
                 [&](Result<uint64_t>& segment) { remove(static_cast<int32_t>(segment.value())); });
}

TEST(SharedSegments, are_found_by_key_and_made_once) {
    const int32_t first = made(77, page_size, FL_IPC_CREAT | 0600);
    LONGS_EQUAL(first, made(77, 0, 0600));
    must_fail(Error::Exists, call(sys_shmget, 77, page_size, FL_IPC_CREAT | FL_IPC_EXCL | 0600));
    must_fail(Error::Invalid, call(sys_shmget, 77, page_size + 1, 0));
    remove(first);
    must_fail(Error::NoEntry, call(sys_shmget, 77, 0, 0));
    const int32_t second = made(77, page_size, FL_IPC_CREAT | 0600);
    CHECK_TRUE(first != second);        // who still has the old number does not get the new segment
    remove(second);
}

TEST(SharedSegments, are_as_many_as_may_be) {
    int32_t others[FORKLORE_SEGMENTS_MAX - 1];
    for (int32_t& other : others) {
        other = made(FL_IPC_PRIVATE, page_size, 0600);
    }
    must_fail(Error::NoSpace, call(sys_shmget, FL_IPC_PRIVATE, page_size, 0600));
    for (int32_t other : others) {
        remove(other);
    }
    must_fail(Error::Invalid, call(sys_shmget, FL_IPC_PRIVATE, 0, 0600));
    must_fail(Error::Invalid, call(sys_shmget, FL_IPC_PRIVATE, FORKLORE_SEGMENT_BYTES_MAX + 1, 0600));
}

TEST(SharedSegments, of_another_user_are_what_their_permissions_say) {
    Proc& child = forked();
    const ForkloreSegment theirs{.uid = user, .mode = 0600};
    must(space().store(data, &theirs, sizeof theirs));
    {
        host::Acting acting(child);
        must(call(sys_setuid, user));
        must_fail(Error::AccessDenied, call(sys_shmat, id, 0, 0));
        must_fail(Error::AccessDenied, call(sys_shmctl, id, FL_IPC_STAT, data.value));
        must_fail(Error::NotPermitted, call(sys_shmctl, id, FL_IPC_SET, data.value));
        must_fail(Error::NotPermitted, call(sys_shmctl, id, FL_IPC_RMID, 0));
    }
    must(call(sys_shmctl, id, FL_IPC_SET, data.value));
    host::Acting acting(child);
    must(call(sys_shmat, id, place.value, 0));
    put(place, 8);
}

TEST(SharedSegments, say_who_they_are) {
    attach(place);
    must(call(sys_shmctl, id, FL_IPC_STAT, data.value));
    ForkloreSegment status;
    must(space().load(&status, data, sizeof status));
    UNSIGNED_LONGS_EQUAL(3 * page_size, status.bytes);
    UNSIGNED_LONGS_EQUAL(1, status.attachments);
    UNSIGNED_LONGS_EQUAL(0600, status.mode);
    LONGS_EQUAL(number(me().pid), status.maker);
    LONGS_EQUAL(number(me().pid), status.last);
    LONGS_EQUAL(id, must(call(sys_shmctl, id % FORKLORE_SEGMENTS_MAX, FL_SHM_STAT, data.value)));
    must_fail(Error::Invalid, call(sys_shmctl, FORKLORE_SEGMENTS_MAX, FL_SHM_STAT, data.value));
    must_fail(Error::Invalid, call(sys_shmctl, id, 99, data.value));
    must_fail(Error::Invalid, call(sys_shmctl, -1, FL_IPC_STAT, data.value));
}

TEST(SharedSegments, take_a_share_of_the_memory_at_most) {
    const uint64_t share = pages::stats().total.bytes() / 4;
    const uint64_t each = std::min<uint64_t>(FORKLORE_SEGMENT_BYTES_MAX, share / 2);
    int32_t others[FORKLORE_SEGMENTS_MAX];
    size_t count = 0;
    while ((count + 1) * each <= share - 3 * page_size && count < FORKLORE_SEGMENTS_MAX - 1) {
        others[count++] = made(FL_IPC_PRIVATE, each, 0600);
    }
    must_fail(Error::NoMemory, call(sys_shmget, FL_IPC_PRIVATE, each, 0600));
    remove(others[--count]);
    others[count] = made(FL_IPC_PRIVATE, each, 0600);
    for (size_t i = 0; i <= count; ++i) {
        remove(others[i]);
    }
}
