// Numbers and places: what one core tests and takes, no other core takes too.
#include "schedules/support.h"

#include "kernel/proc/limits.h"
#include "kernel/proc/pid.h"

namespace {

// The number, or the error below 0.
int32_t ask() {
    Result<Pid> pid = pid_allocate();
    return pid.ok() ? number(pid.value()) : -static_cast<int32_t>(pid.error());
}
constexpr int32_t refused = -static_cast<int32_t>(Error::TryAgain);

}  // namespace

TEST_GROUP(Pids) {
    // All numbers but the last `count` are taken.
    static void leave(int count) {
        pid_init(smallest_pid_max).value();
        while (pids_in_use() + static_cast<size_t>(count) < smallest_pid_max) {
            pid_allocate().value();
        }
    }
};

TEST(Pids, two_who_ask_get_two_numbers) {
    pid_init(smallest_pid_max).value();
    explore({}, [] {
        Pid got[2] = {};
        explorer::thread("first", [&] { got[0] = pid_allocate().value(); });
        explorer::thread("second", [&] { got[1] = pid_allocate().value(); });
        explorer::run();
        EXPECT(got[0] != got[1]);
        EXPECT_EQUAL(3, pids_in_use());
    });
}

TEST(Pids, the_last_number_goes_to_one_and_the_other_is_told) {
    leave(1);
    explore({}, [] {
        const size_t before = pids_in_use();
        int32_t got[2] = {};
        explorer::thread("first", [&] { got[0] = ask(); });
        explorer::thread("second", [&] { got[1] = ask(); });
        explorer::run();
        EXPECT((got[0] == refused) != (got[1] == refused));
        pid_release(static_cast<Pid>(got[0] == refused ? got[1] : got[0]), PidUse::Process);
        EXPECT_EQUAL(before, pids_in_use());
    });
}

TEST(Pids, a_number_stays_taken_while_a_group_has_it) {
    leave(1);
    explore({}, [] {
        const Pid pid = pid_allocate().value();
        int32_t got = 0;
        explorer::thread("process ends, group begins", [&] {
            pid_take(pid, PidUse::Group);
            pid_release(pid, PidUse::Process);
        });
        explorer::thread("asks", [&] { got = ask(); });
        explorer::run();
        EXPECT_EQUAL(refused, got);
        EXPECT(pid_in_use(pid));
    });
}

TEST(Pids, a_number_that_was_given_back_can_be_had_at_once) {
    leave(1);
    int times_had = 0, times_refused = 0;
    explore({}, [&] {
        const Pid pid = pid_allocate().value();
        int32_t got = 0;
        explorer::thread("gives back", [&] { pid_release(pid, PidUse::Process); });
        explorer::thread("asks", [&] { got = ask(); });
        explorer::run();
        EXPECT(got == number(pid) || got == refused);
        ++(got == refused ? times_refused : times_had);
    });
    CHECK_TRUE(times_had > 0 && times_refused > 0);
}

TEST_GROUP(Slots) {
    Ref<Credentials> user;

    void setup() override {
        user = Credentials::root().value()->copy().value();
        user->real_uid = user->effective_uid = user->saved_uid = 1000;
        user->account = UserAccount::find(1000).value();
    }
    void teardown() override { user.reset(); }

    // Two who want a place under `limit`; how many got one while both were held.
    static size_t takers(const Credentials& who, uint64_t limit) {
        ProcSlot slots[2];
        bool got[2] = {};
        auto take = [&](int i) {
            Result<ProcSlot> slot = ProcSlot::reserve(who, limit);
            got[i] = slot.ok();
            if (slot.ok()) {
                slots[i] = std::move(slot).value();
            } else {
                EXPECT(slot.error() == Error::TryAgain);
            }
        };
        explorer::thread("first", [&] { take(0); });
        explorer::thread("second", [&] { take(1); });
        explorer::run();
        EXPECT_EQUAL((got[0] ? 1 : 0) + (got[1] ? 1 : 0), process_slots_taken());
        return process_slots_taken();
    }
};

TEST(Slots, the_last_place_of_all_is_taken_once) {
    process_limit_init(2);      // one of them is root's
    explore({}, [this] {
        EXPECT_EQUAL(1, takers(*user, FL_RLIM_INFINITY));
        EXPECT_EQUAL(0, process_slots_taken());
        EXPECT_EQUAL(0, user->account->processes);
    });
}

TEST(Slots, the_last_place_of_a_user_is_taken_once) {
    explore({}, [this] {
        EXPECT_EQUAL(1, takers(*user, 1));
        EXPECT_EQUAL(0, user->account->processes);
    });
}

TEST(Slots, a_place_that_moves_to_another_user_is_counted_once) {
    explore({}, [this] {
        Ref<UserAccount> other = UserAccount::find(2000).value();
        ProcSlot slot = ProcSlot::reserve(*user, FL_RLIM_INFINITY).value();
        explorer::thread("setuid", [&] { slot.move_to(other); });
        explorer::thread("fork", [&] { ProcSlot::reserve(*user, FL_RLIM_INFINITY).value(); });
        explorer::run();
        EXPECT_EQUAL(0, user->account->processes);
        EXPECT_EQUAL(1, other->processes);
        EXPECT_EQUAL(1, process_slots_taken());
        slot = ProcSlot();
        other.reset();
    });
}

TEST(Slots, an_account_is_one_whoever_finds_it_first_and_goes_with_its_last_user) {
    explore({}, [] {
        UserAccount* found[2] = {};
        Ref<UserAccount> held[2];
        auto find = [&](int i) {
            held[i] = UserAccount::find(3000).value();
            found[i] = held[i].get();
        };
        explorer::thread("first", [&] { find(0); });
        explorer::thread("second", [&] { find(1); });
        explorer::run();
        EXPECT(found[0] == found[1]);
        explorer::thread("first", [&] { held[0].reset(); });
        explorer::thread("second", [&] {
            held[1].reset();
            held[1] = UserAccount::find(3000).value();
        });
        explorer::run();
        EXPECT_EQUAL(1, held[1]->references());
        held[1].reset();
    });
}
