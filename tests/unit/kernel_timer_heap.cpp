// The heap of timers: always the earliest first, whatever was taken out before. And arming and disarming, without
// waiting for anything.
#include "unit/support.h"

#include "kernel/timer_heap.h"
#include "machine/clock.h"

namespace {

constexpr size_t count = 64;
void never_called(void* called) { *static_cast<bool*>(called) = true; }

// Deadlines come from arming; far enough away never to pass.
constexpr Nanoseconds far = 1'000'000 * nanoseconds_per_second;

}  // namespace

TEST_GROUP(Timer) {
    bool called = false;
    Timer timer{never_called, &called};

    void teardown() override {
        timer.cancel();
        CHECK_FALSE(called);
    }
};

TEST(Timer, one_that_was_never_armed_has_nothing_to_cancel) {
    CHECK_FALSE(timer.armed());
    CHECK_FALSE(timer.cancel());
}

TEST(Timer, cancelling_disarms_once) {
    timer.arm(far);
    CHECK_TRUE(timer.armed());
    CHECK_TRUE(timer.cancel());
    CHECK_FALSE(timer.armed());
    CHECK_FALSE(timer.cancel());
}

TEST(Timer, arming_again_moves_it) {
    timer.arm(far);
    timer.arm(far + 1);
    CHECK_TRUE(timer.cancel());
    CHECK_FALSE(timer.cancel());
}

// A timer's deadline is its own affair, so the order is shown through values that the test keeps beside it.
TEST_GROUP(TimerHeap) {
    struct Entry {
        bool called = false;
        Timer timer{never_called, &called};
        uint64_t key = 0;
        bool inside = false;
    };
    Entry entries[count];
    TimerHeap heap;
    uint64_t seed = 1;

    uint64_t random() {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return seed >> 33;
    }
    void insert(Entry & entry, uint64_t key) {
        entry.key = key;
        entry.inside = true;
        TimerHeap::set_deadline(entry.timer, key);
        heap.insert(entry.timer);
    }
    void remove(Entry & entry) {
        entry.inside = false;
        heap.remove(entry.timer);
    }
    Entry* first() {
        for (Entry& entry : entries) {
            if (&entry.timer == heap.first()) {
                return &entry;
            }
        }
        return nullptr;
    }
    uint64_t smallest() {
        uint64_t key = never;
        for (Entry& entry : entries) {
            if (entry.inside && entry.key < key) {
                key = entry.key;
            }
        }
        return key;
    }
};

TEST(TimerHeap, an_empty_one_has_no_first) { POINTERS_EQUAL(nullptr, heap.first()); }

TEST(TimerHeap, they_come_out_in_the_order_of_their_deadlines) {
    for (Entry& entry : entries) {
        insert(entry, random() % 40);      // some alike
    }
    uint64_t last = 0;
    for (size_t i = 0; i < count; ++i) {
        Entry* entry = first();
        CHECK_TRUE(entry != nullptr && entry->key >= last);
        last = entry->key;
        remove(*entry);
    }
    POINTERS_EQUAL(nullptr, heap.first());
}

TEST(TimerHeap, the_earliest_stays_first_when_others_come_and_go) {
    for (int step = 0; step < 3000; ++step) {
        Entry& entry = entries[random() % count];
        if (entry.inside) {
            remove(entry);
        } else {
            insert(entry, random() % 1000);
        }
        Entry* front = first();
        UNSIGNED_LONGS_EQUAL(smallest(), front != nullptr ? front->key : never);
    }
}
