// Four cores taking numbers and places: no number twice, every count given back.
#include <atomic>

#include "CppUTest/TestHarness.h"

#include "kernel/proc/limits.h"
#include "kernel/proc/pid.h"
#include "stress/four_cores.h"

TEST_GROUP(FourForkingCores) {};

TEST(FourForkingCores, no_pid_is_given_twice_across_many_wraps) {
    pid_init(smallest_pid_max).value();
    static std::atomic<int> holders[smallest_pid_max];
    std::atomic<int> twice{0};
    on_four_cores([&](int) {
        for (int round = 0; round < 5000; ++round) {
            Result<Pid> pid = pid_allocate();
            if (!pid.ok()) {
                continue;
            }
            twice += holders[number(pid.value())].fetch_add(1) != 0;
            holders[number(pid.value())].fetch_sub(1);
            pid_release(pid.value(), PidUse::Process);
        }
    });
    LONGS_EQUAL(0, twice.load());
    UNSIGNED_LONGS_EQUAL(1, pids_in_use());     // the kernel's
}

TEST(FourForkingCores, the_last_slot_is_taken_once) {
    Ref<Credentials> root = Credentials::root().value();
    const size_t taken_before = process_slots_taken();
    const size_t maximum_before = process_maximum();
    process_limit_init(taken_before + 2);
    std::atomic<int> holding{0}, most{0};
    on_four_cores([&](int) {
        for (int round = 0; round < 5000; ++round) {
            Result<ProcSlot> slot = ProcSlot::reserve(*root, FL_RLIM_INFINITY);
            if (slot.ok()) {
                int now = ++holding;
                for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
                }
                --holding;
            }
        }
    });
    CHECK(most.load() <= 2);
    UNSIGNED_LONGS_EQUAL(taken_before, process_slots_taken());
    process_limit_init(maximum_before);
}
