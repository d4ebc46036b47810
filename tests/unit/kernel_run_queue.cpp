// Rounds and slices: whose turn it is, who waits for the next round, who may be stolen.
#include "unit/support.h"

#include "kernel/run_queue.h"

TEST_GROUP(RunQueue) {
    RunQueue queue;
    Thread a{"a"}, b{"b"}, c{"c"};

    void setup() override {
        for (Thread* thread : {&a, &b, &c}) {
            thread->slice_left = 1'000'000;
        }
    }
    void teardown() override {
        while (take() != nullptr) {
        }
    }
    void add(Thread & thread, Arrival how) {
        SpinGuard guard(queue.lock);
        queue.add(thread, how);
    }
    Thread* take() {
        SpinGuard guard(queue.lock);
        return queue.take();
    }
    Thread* steal() {
        SpinGuard guard(queue.lock);
        return queue.steal();
    }
};

TEST(RunQueue, an_empty_queue_has_nobody_to_give) {
    POINTERS_EQUAL(nullptr, take());
    POINTERS_EQUAL(nullptr, steal());
    UNSIGNED_LONGS_EQUAL(0, queue.ready());
}

TEST(RunQueue, a_woken_thread_goes_before_those_that_wait) {
    add(a, Arrival::Moved);
    add(b, Arrival::Woken);
    UNSIGNED_LONGS_EQUAL(2, queue.ready());
    POINTERS_EQUAL(&b, take());
    POINTERS_EQUAL(&a, take());
    UNSIGNED_LONGS_EQUAL(0, queue.ready());
}

TEST(RunQueue, a_preempted_thread_goes_on_first) {
    add(a, Arrival::Moved);
    add(b, Arrival::Preempted);
    POINTERS_EQUAL(&b, take());
}

TEST(RunQueue, who_spent_a_slice_lets_all_others_go_first) {
    a.slice_left = 0;
    add(a, Arrival::Spent);
    add(b, Arrival::Moved);
    add(c, Arrival::Woken);
    POINTERS_EQUAL(&c, take());
    POINTERS_EQUAL(&b, take());
    POINTERS_EQUAL(&a, take());
}

TEST(RunQueue, a_spent_slice_is_filled_up_by_nice_level) {
    a.slice_left = b.slice_left = c.slice_left = 0;
    b.nice = 19;
    c.nice = -20;
    add(a, Arrival::Spent);
    add(b, Arrival::Spent);
    add(c, Arrival::Spent);
    UNSIGNED_LONGS_EQUAL(slice_of(0), a.slice_left);
    UNSIGNED_LONGS_EQUAL(slice_of(19), b.slice_left);
    UNSIGNED_LONGS_EQUAL(slice_of(-20), c.slice_left);
    CHECK_TRUE(slice_of(19) > 0 && slice_of(19) < slice_of(0) && slice_of(0) < slice_of(-20));
}

TEST(RunQueue, waking_within_a_round_does_not_fill_the_slice) {
    add(a, Arrival::Moved);
    POINTERS_EQUAL(&a, take());
    a.slice_left = 70;
    add(a, Arrival::Woken);
    UNSIGNED_LONGS_EQUAL(70, a.slice_left);
}

TEST(RunQueue, sleeping_through_a_round_fills_the_slice) {
    add(a, Arrival::Moved);
    POINTERS_EQUAL(&a, take());
    a.slice_left = 70;
    add(b, Arrival::Spent);
    POINTERS_EQUAL(&b, take());     // a new round
    CHECK_FALSE(queue.in_round(a));
    add(a, Arrival::Woken);
    UNSIGNED_LONGS_EQUAL(slice_of(0), a.slice_left);
}

TEST(RunQueue, two_that_wake_each_other_do_not_starve_a_third) {
    add(c, Arrival::Spent);         // waits for the next round
    Thread* running = &a;
    Thread* other = &b;
    int switches = 0;
    while (switches < 1000) {
        // Each turn costs a tenth of a millisecond, then the other is woken and takes over.
        running->slice_left -= running->slice_left < 100'000 ? running->slice_left : 100'000;
        add(*other, Arrival::Woken);
        Thread* next = take();
        if (next == &c) {
            break;
        }
        POINTERS_EQUAL(other, next);
        other = running;
        running = next;
        ++switches;
    }
    // Two slices of a millisecond each: then it was the third one's turn.
    CHECK_TRUE(switches >= 18 && switches <= 22);
}

TEST(RunQueue, who_yields_lets_the_next_round_go_first_and_keeps_the_slice) {
    a.slice_left = 500;
    add(b, Arrival::Spent);
    add(a, Arrival::Yielded);
    POINTERS_EQUAL(&b, take());
    POINTERS_EQUAL(&a, take());
    UNSIGNED_LONGS_EQUAL(500, a.slice_left);
}

TEST(RunQueue, a_thread_that_a_core_is_still_leaving_is_passed_over) {
    a.on_core = true;
    add(b, Arrival::Moved);
    add(a, Arrival::Woken);
    POINTERS_EQUAL(&b, take());
    POINTERS_EQUAL(nullptr, take());
    POINTERS_EQUAL(nullptr, steal());
    UNSIGNED_LONGS_EQUAL(1, queue.ready());
    a.on_core = false;
    POINTERS_EQUAL(&a, take());
}

TEST(RunQueue, a_thief_gets_the_one_whose_turn_is_farthest_away) {
    add(a, Arrival::Moved);
    add(b, Arrival::Moved);
    add(c, Arrival::Spent);
    POINTERS_EQUAL(&c, steal());
    POINTERS_EQUAL(&b, steal());
    POINTERS_EQUAL(&a, steal());
}

TEST(RunQueue, a_thread_from_another_core_keeps_its_slice_and_waits_behind) {
    RunQueue other;
    add(a, Arrival::Moved);
    POINTERS_EQUAL(&a, take());
    a.slice_left = 70;
    add(b, Arrival::Moved);
    {
        SpinGuard guard(other.lock);
        other.add(c, Arrival::Moved);
        other.add(a, Arrival::Moved);
    }
    UNSIGNED_LONGS_EQUAL(70, a.slice_left);
    SpinGuard guard(other.lock);
    Thread* first = other.take();
    Thread* second = other.take();
    POINTERS_EQUAL(&c, first);
    POINTERS_EQUAL(&a, second);
}
