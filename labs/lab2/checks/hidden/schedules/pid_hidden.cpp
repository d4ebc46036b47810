// Lab 2 in every order of three cores.
#include "CppUTest/TestHarness.h"

#include "explorer/explorer.h"
#include "kernel/proc/pid.h"

namespace {

int32_t ask() {
    Result<Pid> pid = pid_allocate();
    return pid.ok() ? number(pid.value()) : 0;
}

}  // namespace

TEST_GROUP(PidHidden) {};

TEST(PidHidden, three_cores_get_two_numbers) {
    constexpr int32_t maximum = smallest_pid_max + 7, given_back = first_recycled_pid + 3;
    CHECK_TRUE(pid_init(maximum).ok());
    for (int32_t i = 1; i < maximum - 1; ++i) {
        LONGS_EQUAL(i, ask());
    }
    explore({.most = 3'000}, [] {
        int32_t got[3] = {};
        explorer::thread("first", [&] { got[0] = ask(); });
        explorer::thread("second", [&] { got[1] = ask(); });
        explorer::thread("gives back", [&] {
            pid_release(Pid{given_back}, PidUse::Process);
            got[2] = ask();
        });
        explorer::run();
        int last = 0, recycled = 0, none = 0;
        for (const int32_t one : got) {
            last += one == maximum - 1;
            recycled += one == given_back;
            none += one == 0;
        }
        EXPECT_EQUAL(1, last);
        EXPECT_EQUAL(1, recycled);
        EXPECT_EQUAL(1, none);
        EXPECT_EQUAL(maximum, pids_in_use());
    });
}
