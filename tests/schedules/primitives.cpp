// Mutexes, park and wake: nobody is lost, nobody gets in beside the owner.
#include "schedules/support.h"

#include "explorer/machine/machine.h"
#include "kernel/sched.h"
#include "machine/mutex.h"

TEST_GROUP(Mutex) {};

TEST(Mutex, one_thread_at_a_time_is_inside) {
    explore({.relaxed = true}, [] {
        Mutex mutex(LockRank::Pipe, "tested");
        int count = 0;
        auto work = [&] {
            MutexGuard guard(mutex);
            const int seen = count;
            explorer::point("work");
            count = seen + 1;
        };
        explorer::thread("a", work);
        explorer::thread("b", work);
        explorer::thread("c", work);
        explorer::run();
        EXPECT_EQUAL(3, count);
    });
}

TEST_GROUP(Park) {};

TEST(Park, a_wake_is_never_lost) {
    explore({.relaxed = true}, [] {
        SpinLock lock(LockRank::FileWait, "condition");
        Channel channel;
        bool ready = false;
        explorer::thread("sleeper", [&] {
            SpinGuard guard(lock);
            while (!ready) {
                park(channel, lock);
            }
        });
        explorer::thread("waker", [&] {
            SpinGuard guard(lock);
            ready = true;
            wake_one(channel);
        });
        explorer::run();
    });
}

TEST(Park, a_signal_that_comes_first_uses_up_no_wake) {
    explore({}, [] {
        SpinLock lock(LockRank::FileWait, "condition");
        Channel channel;
        int tokens = 0;
        Thread* patient = nullptr;
        explorer::thread("may give up", [&] {
            SpinGuard guard(lock);
            patient = cpu::current_thread();
            while (tokens == 0) {
                if (park(channel, lock, {.interruptible = true}) == WakeReason::Interrupted) {
                    return;
                }
            }
            wake_one(channel);      // the token is for all
        });
        explorer::thread("waits", [&] {
            SpinGuard guard(lock);
            while (tokens == 0) {
                park(channel, lock);
            }
            wake_one(channel);
        });
        explorer::thread("wakes", [&] {
            SpinGuard guard(lock);
            ++tokens;
            wake_one(channel);
        });
        explorer::thread("interrupts", [&] {
            SpinGuard guard(lock);
            if (patient != nullptr) {
                patient->ask(ReturnWork::Signal);
                thread_poke(*patient);
            }
        });
        explorer::run();
    });
}

TEST(Park, a_deadline_ends_a_sleep_that_nobody_ends) {
    explore({}, [] {
        SpinLock lock(LockRank::FileWait, "condition");
        Channel channel;
        bool late = false, ready = false;
        explorer::thread("sleeper", [&] {
            SpinGuard guard(lock);
            while (!ready && !late) {
                late = park(channel, lock, {.deadline = 1'000}) == WakeReason::TimedOut;
            }
        });
        explorer::thread("clock", [] { host::set_clock(1'000); });
        explorer::thread("waker", [&] {
            SpinGuard guard(lock);
            ready = true;
            wake_one(channel);
        });
        explorer::run();
        EXPECT(late || ready);
    });
}
