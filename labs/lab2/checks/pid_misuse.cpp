// Lab 2 on the host's machine: what must panic, and what four cores do at once.
#include "grader/runner/host_check.h"
#include "kernel/proc/pid.h"
#include "unit/support.h"

TEST_GROUP(PidMisuse) {
    void setup() override { must(pid_init(smallest_pid_max)); }
};

TEST(PidMisuse, a_use_taken_twice_panics) {
    const Pid one = must(pid_allocate());
    pid_take(one, PidUse::Group);
    pid_take(one, PidUse::Session);
    MUST_PANIC(pid_take(one, PidUse::Group));
}

TEST(PidMisuse, a_use_of_a_free_number_panics) {
    const Pid one = must(pid_allocate());
    pid_release(one, PidUse::Process);
    MUST_PANIC(pid_take(one, PidUse::Group));
}

TEST(PidMisuse, a_use_released_twice_panics) {
    const Pid one = must(pid_allocate());
    pid_take(one, PidUse::Group);
    pid_release(one, PidUse::Group);
    MUST_PANIC(pid_release(one, PidUse::Group));
}

TEST_GROUP(PidIds) {};

TEST(PidIds, unique_ids_and_versions_never_repeat) {
    const uint64_t first_id = next_unique_id();
    const uint32_t first_version = next_id_version();
    std::atomic<bool> rise{true};
    std::atomic<uint64_t> calls{0};
    on_all_cores([&](unsigned, Stumbling& stumbling) {
        uint64_t last_id = first_id;
        uint32_t last_version = first_version;
        uint64_t mine = 0;
        for (; stumbling.another_round(); ++mine) {
            const uint64_t id = next_unique_id();
            const uint32_t version = next_id_version();
            if (id <= last_id || version <= last_version) {
                rise = false;
            }
            last_id = id;
            last_version = version;
        }
        calls += mine;
    });
    // Each call added one: all of them together made exactly so many steps.
    UNSIGNED_LONGS_EQUAL_TEXT(first_id + calls.load() + 1, next_unique_id(), "the unique id after those that four cores took");
    UNSIGNED_LONGS_EQUAL_TEXT(first_version + static_cast<uint32_t>(calls.load()) + 1, next_id_version(), "the version after those that four cores took");
    CHECK_TRUE_TEXT(rise.load(), "each core sees rising numbers");
}
