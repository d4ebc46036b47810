// Lab 4: what the visible checks ask, by other values and in other orders.
#include <cstring>

#include "grader/runner/seed.h"
#include "lab4/checks/lending.h"

TEST_GROUP_BASE(VforkHidden, Lending) {
    CheckRandom random{4};

    void fill_frame() {
        for (uint64_t& x : frame.x) {
            x = random.next();
        }
        frame.sp = random.next();
        frame.pc = random.next();
    }
};

TEST(VforkHidden, gives_back_registers_of_any_value) {
    fill_frame();
    const UserFrame before = frame;
    const uint64_t pointer = random.next();
    const SignalSet mask = signal_bit(FL_SIGUSR2) | signal_bit(FL_SIGTERM);
    cpu::set_user_thread_pointer(pointer);
    uthread().mask = mask;
    const Pid pid = lend().pid;
    UserFrame childs = before;
    childs.x[0] = 0;
    childs.x[1] = 1;
    CHECK_TRUE_TEXT(memcmp(&childs, &frame, sizeof frame) == 0, "the child has the parent's registers but x0 and x1");
    fill_frame();
    cpu::set_user_thread_pointer(random.next());
    uthread().mask = 0;
    exit_child(5);
    UserFrame expected = before;
    expected.x[0] = static_cast<uint64_t>(number(pid));
    expected.x[1] = 0;
    CHECK_TRUE_TEXT(memcmp(&expected, &frame, sizeof frame) == 0, "the parent has its registers but x0 and x1");
    UNSIGNED_LONGS_EQUAL(pointer, cpu::user_thread_pointer());
    UNSIGNED_LONGS_EQUAL(mask, uthread().mask);
    uthread().mask = 0;
    cpu::set_user_thread_pointer(0);
    collect(pid);
}

TEST(VforkHidden, lends_again_and_again) {
    const size_t numbers = pids_in_use();
    for (int i = 0; i < 12; ++i) {
        const UserFrame before = frame;
        const Pid pid = lend().pid;
        UNSIGNED_LONGS_EQUAL_TEXT(1, parent->loans, "loans of the parent");
        POINTERS_EQUAL_TEXT(thread, &uthread().thread, "the same thread");
        if (random.below(2) == 0) {
            enter_directory("/tmp");
        }
        exit_child(i);
        UNSIGNED_LONGS_EQUAL_TEXT(0, parent->loans, "loans of the parent");
        UNSIGNED_LONGS_EQUAL_TEXT(before.pc, frame.pc, "the parent's program counter");
        collect(pid);
        UNSIGNED_LONGS_EQUAL_TEXT(numbers, pids_in_use(), "numbers in use");
    }
}

TEST(VforkHidden, refuses_in_the_middle_of_everything) {
    const Pid pid = lend().pid;
    Proc& child = me();
    enter_directory("/tmp");
    uthread().mask = signal_bit(FL_SIGUSR1);
    for (int i = 0; i < 3; ++i) {
        const UserFrame before = frame;
        const size_t numbers = pids_in_use(), slots = process_slots_taken();
        must_fail(Error::Invalid, vfork(frame));
        CHECK_TRUE_TEXT(memcmp(&before, &frame, sizeof frame) == 0, "a refused vfork changed the registers");
        UNSIGNED_LONGS_EQUAL(numbers, pids_in_use());
        UNSIGNED_LONGS_EQUAL(slots, process_slots_taken());
        UNSIGNED_LONGS_EQUAL_TEXT(1, parent->loans, "loans of the parent");
        POINTERS_EQUAL_TEXT(&child, &me(), "the child goes on");
        UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGUSR1), uthread().mask);
    }
    exit_child(9);
    collect(pid);
}
