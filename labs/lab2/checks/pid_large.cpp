// Lab 2 beside a plain search: whatever the structure, the answers are those of looking at number after number.
#include "grader/runner/seed.h"
#include "kernel/proc/pid.h"
#include "unit/support.h"

namespace {

constexpr int32_t smallest = 9'000, largest = 10'000;

// The contract in the plainest way.
struct Plain {
    uint8_t uses[largest] = {1};
    int32_t maximum = 0, last = 0;

    // 0 if all are taken.
    int32_t next() {
        for (int32_t n = last + 1; n < maximum; ++n) {
            if (uses[n] == 0) {
                return take(n);
            }
        }
        for (int32_t n = first_recycled_pid; n < maximum; ++n) {
            if (uses[n] == 0) {
                return take(n);
            }
        }
        return 0;
    }
    int32_t take(int32_t n) {
        uses[n] = static_cast<uint8_t>(PidUse::Process);
        return last = n;
    }
};

int32_t answer() {
    Result<Pid> pid = pid_allocate();
    return pid.ok() ? number(pid.value()) : 0;
}

}  // namespace

TEST_GROUP(PidSearch) {};

TEST(PidSearch, agrees_with_a_plain_search_in_a_large_space) {
    CheckRandom random;
    static Plain plain;
    must(pid_init(smallest_pid_max));
    must(pid_allocate());
    plain.maximum = smallest + static_cast<int32_t>(random.below(largest - smallest));
    must(pid_init(plain.maximum));
    while (const int32_t expected = plain.next()) {
        LONGS_EQUAL(expected, answer());
    }
    for (int round = 0; round < 300; ++round) {
        // A few numbers lose a use, wherever they are; some of them get another one before.
        for (uint64_t i = random.below(40); i > 0; --i) {
            const auto n = static_cast<int32_t>(random.below(static_cast<uint64_t>(plain.maximum - 1)) + 1);
            constexpr PidUse kinds[] = {PidUse::Process, PidUse::Group, PidUse::Session};
            const PidUse add = kinds[random.below(3)], end = kinds[random.below(3)];
            if (plain.uses[n] != 0 && (plain.uses[n] & static_cast<uint8_t>(add)) == 0) {
                pid_take(static_cast<Pid>(n), add);
                plain.uses[n] |= static_cast<uint8_t>(add);
            }
            if ((plain.uses[n] & static_cast<uint8_t>(end)) != 0) {
                pid_release(static_cast<Pid>(n), end);
                plain.uses[n] &= static_cast<uint8_t>(~static_cast<uint8_t>(end));
            }
        }
        for (uint64_t i = random.below(40); i > 0; --i) {
            LONGS_EQUAL_TEXT(plain.next(), answer(), "the next number (0: none is free)");
        }
    }
}
