// Sleeping and waking on four cores: nothing is lost, whoever wins.
#include "CppUTest/TestHarness.h"

#include "kernel/timer.h"
#include "target/crew.h"

TEST_GROUP(Sleeping) {
    Crew crew;
};

namespace {

struct PingPong {
    Semaphore ping, pong;
    int rounds = 3'000;
};

// Waits for its signal often, sometimes with a deadline; signals from others interrupt it.
struct Patient {
    Semaphore* semaphore = nullptr;
    std::atomic<Thread*> thread{nullptr};
    uint64_t seed = 0;
    unsigned wanted = 4'000;
    unsigned got = 0, timed_out = 0, interrupted = 0;
    Semaphore finished, may_leave;

    uint64_t random() {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return seed >> 33;
    }
};

void wait_often(void* argument) {
    auto& self = *static_cast<Patient*>(argument);
    Thread& thread = *cpu::current_thread();
    self.thread = &thread;
    while (self.got < self.wanted) {
        const bool impatient = self.random() % 8 == 0;
        const Nanoseconds deadline = impatient ? machine_clock::now() + self.random() % 20'000 : never;
        switch (self.semaphore->down({.interruptible = true, .deadline = deadline})) {
        case WakeReason::Woken:
            ++self.got;
            break;
        case WakeReason::TimedOut:
            ++self.timed_out;
            break;
        case WakeReason::Interrupted:
            thread.done(ReturnWork::Signal);
            ++self.interrupted;
            break;
        }
    }
    self.finished.up();
    self.may_leave.down();      // until then others may poke the thread
}

struct Giver {
    Semaphore* semaphore = nullptr;
    unsigned count = 0;
};

void give_often(void* argument) {
    auto& self = *static_cast<Giver*>(argument);
    for (unsigned i = 0; i < self.count; ++i) {
        self.semaphore->up();
        if (i % 16 == 0) {
            yield();
        }
    }
}

struct Sleeper {
    Nanoseconds delay = 0;
    bool early = false;
};

void sleep_once(void* argument) {
    auto& self = *static_cast<Sleeper*>(argument);
    const Nanoseconds deadline = machine_clock::now() + self.delay;
    sleep_until(deadline, false);
    self.early = machine_clock::now() < deadline;
}

}  // namespace

TEST(Sleeping, two_threads_that_wake_each_other_lose_no_wake_up) {
    PingPong both;
    CHECK_TRUE(crew.start(
        [](void* argument) {
            auto& table = *static_cast<PingPong*>(argument);
            for (int i = 0; i < table.rounds; ++i) {
                table.ping.down();
                table.pong.up();
            }
        },
        &both));
    int returned = 0;
    for (int i = 0; i < both.rounds; ++i) {
        both.ping.up();
        returned += both.pong.down({.deadline = machine_clock::now() + 10 * nanoseconds_per_second}) == WakeReason::Woken;
    }
    LONGS_EQUAL(both.rounds, returned);
    CHECK_TRUE(crew.wait());
}

TEST(Sleeping, no_wake_up_is_lost_to_a_signal_or_a_deadline) {
    // Whoever is interrupted or times out while it is being woken must not use the wake-up up: else somebody sleeps for ever.
    constexpr unsigned waiters = 6, givers = 3;
    static Patient waiter[waiters];
    Semaphore semaphore;
    Giver giver{&semaphore, waiters * Patient{}.wanted / givers};
    for (unsigned i = 0; i < waiters; ++i) {
        waiter[i].semaphore = &semaphore;
        waiter[i].seed = i + 1;
        CHECK_TRUE(crew.start(wait_often, &waiter[i]));
    }
    for (unsigned i = 0; i < givers; ++i) {
        CHECK_TRUE(crew.start(give_often, &giver));
    }
    for (unsigned round = 0; round < 2'000; ++round) {
        if (Thread* thread = waiter[round % waiters].thread) {
            thread->ask(ReturnWork::Signal);
            thread_poke(*thread);
        }
    }
    const Nanoseconds limit = machine_clock::now() + 20 * nanoseconds_per_second;
    unsigned finished = 0;
    for (Patient& one : waiter) {
        finished += one.finished.down({.deadline = limit}) == WakeReason::Woken;
        one.may_leave.up();
    }
    UNSIGNED_LONGS_EQUAL(waiters, finished);
    CHECK_TRUE(crew.wait());
    for (Patient& one : waiter) {
        UNSIGNED_LONGS_EQUAL(one.wanted, one.got);
    }
    UNSIGNED_LONGS_EQUAL(0, semaphore.count());
}

TEST(Sleeping, every_sleeper_wakes_and_never_early) {
    constexpr unsigned count = 24;
    Sleeper sleepers[count];
    for (unsigned i = 0; i < count; ++i) {
        sleepers[i].delay = (count - i / 2) * millisecond;      // in pairs, the later ones first
        CHECK_TRUE(crew.start(sleep_once, &sleepers[i]));
    }
    CHECK_TRUE(crew.wait());
    for (const Sleeper& sleeper : sleepers) {
        CHECK_FALSE(sleeper.early);
    }
}

TEST(Sleeping, a_sleep_with_a_deadline_times_out) {
    Semaphore nobody;
    const Nanoseconds deadline = machine_clock::now() + 5 * millisecond;
    CHECK_TRUE(nobody.down({.deadline = deadline}) == WakeReason::TimedOut);
    CHECK_TRUE(machine_clock::now() >= deadline);
}

TEST(Sleeping, a_signal_that_was_there_before_prevents_an_interruptible_sleep_only) {
    Thread& self = *cpu::current_thread();
    Semaphore nobody;
    self.ask(ReturnWork::Signal);
    const WakeReason interruptible = nobody.down({.interruptible = true});
    const WakeReason deaf = nobody.down({.deadline = machine_clock::now() + 2 * millisecond});
    self.done(ReturnWork::Signal);
    CHECK_TRUE(interruptible == WakeReason::Interrupted);
    CHECK_TRUE(deaf == WakeReason::TimedOut);
}

TEST(Sleeping, wake_all_wakes_everybody) {
    static struct Gate {
        SpinLock lock{LockRank::FileWait, "gate"};
        Channel channel;
        bool open = false;
        unsigned passed = 0;
    } gate;
    for (int i = 0; i < 12; ++i) {
        CHECK_TRUE(crew.start(
            [](void*) {
                SpinGuard guard(gate.lock);
                while (!gate.open) {
                    park(gate.channel, gate.lock);
                }
                ++gate.passed;
            },
            nullptr));
    }
    sleep_until(machine_clock::now() + 10 * millisecond, false);
    {
        SpinGuard guard(gate.lock);
        gate.open = true;
        wake_all(gate.channel);
    }
    CHECK_TRUE(crew.wait());
    UNSIGNED_LONGS_EQUAL(12, gate.passed);
}

TEST(Sleeping, a_timer_runs_at_its_time_on_the_core_that_armed_it) {
    static struct Seen {
        std::atomic<Nanoseconds> at{0};
        unsigned core = max_cores;
        bool interrupts = true;
    } seen;
    Timer timer(
        [](void*) {
            seen.core = cpu::current().id;
            seen.interrupts = cpu::interrupts_on();
            seen.at = machine_clock::now();
        },
        nullptr);
    const Nanoseconds deadline = machine_clock::now() + 3 * millisecond;
    unsigned core;
    {
        InterruptGuard guard;
        core = cpu::current().id;
        timer.arm(deadline);
    }
    for (int i = 0; i < 10'000 && seen.at == 0; ++i) {
        sleep_until(machine_clock::now() + millisecond, false);
    }
    CHECK_FALSE(timer.cancel());
    CHECK_TRUE(seen.at >= deadline);
    UNSIGNED_LONGS_EQUAL(core, seen.core);
    CHECK_FALSE(seen.interrupts);
}
