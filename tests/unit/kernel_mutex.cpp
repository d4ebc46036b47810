// A mutex that nobody else wants. What others do to it is in tests/stress and tests/target.
#include "unit/support.h"

#include "kernel/thread.h"
#include "machine/mutex.h"

TEST_GROUP(Mutex) {
    Mutex outer{LockRank::FileNames, "outer"}, inner{LockRank::Pipe, "inner"};
    HeldMutexes& held = held_mutexes_of(*cpu::current_thread());

    void teardown() override { CHECK_TRUE(held.none()); }
};

TEST(Mutex, it_is_held_between_acquire_and_release) {
    CHECK_FALSE(outer.held());
    {
        MutexGuard guard(outer);
        CHECK_TRUE(outer.held());
        CHECK_FALSE(inner.held());
    }
    CHECK_FALSE(outer.held());
}

TEST(Mutex, it_can_be_taken_again_after_its_release) {
    for (int i = 0; i < 3; ++i) {
        MutexGuard guard(outer);
        CHECK_TRUE(outer.held());
    }
}

TEST(Mutex, the_thread_knows_which_ones_it_holds_from_the_innermost_on) {
    MutexGuard first(outer);
    {
        MutexGuard second(inner);
        POINTERS_EQUAL(&inner, held.innermost);
        POINTERS_EQUAL(&outer, inner.outer());
    }
    POINTERS_EQUAL(&outer, held.innermost);
    POINTERS_EQUAL(nullptr, outer.outer());
}
