// Lab 2 in the kernel, on four cores.
#include "kernel/proc/pid.h"

#include "grader/target/kernel_check.h"

namespace {

constexpr int32_t numbers = 400;
std::atomic<uint8_t> owners[numbers];

}  // namespace

TEST_GROUP(PidMachine) {
    void setup() override { must(pid_init(numbers)); }
};

TEST(PidMachine, four_cores_never_get_the_same_number) {
    for (auto& owner : owners) {
        owner = 0;
    }
    const size_t before = pids_in_use();
    std::atomic<int> twice{0}, refused{0};
    on_all_cores([&](unsigned) {
        for (int round = 0; round < 2'000; ++round) {
            Result<Pid> got = pid_allocate();
            if (!got.ok()) {
                ++refused;
                continue;
            }
            twice += owners[number(got.value())].exchange(1) != 0;
            owners[number(got.value())] = 0;
            pid_release(got.value(), PidUse::Process);
        }
    });
    LONGS_EQUAL_TEXT(0, twice, "numbers that two cores had at once");
    LONGS_EQUAL_TEXT(0, refused, "refused, although nearly all numbers were free");
    UNSIGNED_LONGS_EQUAL_TEXT(before, pids_in_use(), "numbers in use when each was given back");
}
