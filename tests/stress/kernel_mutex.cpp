// Mutexes and timers between four cores, under ThreadSanitizer; and the orders that must be refused.
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "CppUTest/TestHarness.h"

#include "host/machine/host.h"
#include "kernel/timer.h"
#include "kernel/thread.h"
#include "machine/clock.h"
#include "machine/mutex.h"

namespace {

constexpr int workers = 3;      // and the test's own thread: four cores

template <typename Work>
void on_four_cores(Work work) {
    std::vector<std::thread> threads;
    for (int i = 1; i <= workers; ++i) {
        threads.emplace_back([&work, i] { work(i); });
    }
    work(0);
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace

TEST_GROUP(MutexOnFourCores) {};

TEST(MutexOnFourCores, one_thread_at_a_time_is_inside) {
    Mutex mutex(LockRank::Pipe, "counted");
    uint64_t count = 0;             // plain: TSan reports whoever gets in beside the owner
    on_four_cores([&](int) {
        for (int i = 0; i < 20'000; ++i) {
            MutexGuard guard(mutex);
            ++count;
        }
    });
    UNSIGNED_LONGS_EQUAL(80'000, count);
    CHECK_FALSE(mutex.held());
}

TEST(MutexOnFourCores, sleepers_get_in_when_the_owner_dawdles) {
    Mutex mutex(LockRank::Pipe, "slow");
    uint64_t count = 0;
    on_four_cores([&](int) {
        for (int i = 0; i < 300; ++i) {
            MutexGuard guard(mutex);
            ++count;
            std::this_thread::yield();
        }
    });
    UNSIGNED_LONGS_EQUAL(1'200, count);
}

TEST(MutexOnFourCores, nested_ones_in_order_do_not_deadlock) {
    Mutex outer(LockRank::FileNames, "outer"), inner(LockRank::Pipe, "inner");
    uint64_t count = 0;
    on_four_cores([&](int worker) {
        for (int i = 0; i < 5'000; ++i) {
            if ((i + worker) % 2 == 0) {
                MutexGuard first(outer);
                MutexGuard second(inner);
                ++count;
            } else {
                MutexGuard second(inner);
                ++count;
            }
        }
    });
    UNSIGNED_LONGS_EQUAL(20'000, count);
}

TEST(MutexOnFourCores, taking_one_out_of_order_panics_and_names_both) {
    Mutex outer(LockRank::FileNames, "outer"), inner(LockRank::Pipe, "inner");
    std::string message;
    {
        MutexGuard second(inner);
        try {
            outer.acquire();
        } catch (const host::Panic& panic) {
            message = panic.message;
        }
    }
    STRCMP_CONTAINS("\"outer\"", message.c_str());
    STRCMP_CONTAINS("\"inner\"", message.c_str());
}

TEST(MutexOnFourCores, taking_one_with_interrupts_off_panics) {
    Mutex mutex(LockRank::Pipe, "sleeps");
    bool refused = false;
    {
        InterruptGuard guard;       // as under any spin lock
        try {
            mutex.acquire();
        } catch (const host::Panic&) {
            refused = true;
        }
    }
    CHECK_TRUE(refused);
}

TEST_GROUP(TimersOnFourCores) {};

TEST(TimersOnFourCores, what_is_due_runs_once_in_order_and_the_rest_waits) {
    std::vector<int> order;
    struct Entry {
        std::vector<int>* order;
        int number;
        Timer timer{[](void* entry) {
                        auto& self = *static_cast<Entry*>(entry);
                        self.order->push_back(self.number);
                    },
                    this};
    };
    const Nanoseconds now = machine_clock::now();
    Entry entries[] = {{&order, 0}, {&order, 1}, {&order, 2}, {&order, 3}};
    entries[0].timer.arm(now + 300);
    entries[1].timer.arm(now + 100);
    entries[2].timer.arm(now + 200);
    entries[3].timer.arm(now + 1'000'000'000);
    host::set_clock(now + 300);
    timer_interrupt();
    timer_interrupt();
    const bool last_waits = entries[3].timer.cancel();
    for (Entry& entry : entries) {
        entry.timer.cancel();
    }
    CHECK_TRUE((order == std::vector<int>{1, 2, 0}));
    CHECK_TRUE(last_waits);
}

TEST(TimersOnFourCores, the_clock_is_asked_for_the_earliest_alone) {
    Timer late([](void*) {}, nullptr), early([](void*) {}, nullptr);
    const Nanoseconds now = machine_clock::now();
    const unsigned core = cpu::current().id;
    timer_interrupt();      // what earlier tests left set is done with
    late.arm(now + 2'000'000);
    const Nanoseconds first = host::deadline_of(core);
    early.arm(now + 1'000'000);
    const Nanoseconds second = host::deadline_of(core);
    early.cancel();
    late.cancel();
    timer_interrupt();
    UNSIGNED_LONGS_EQUAL(now + 2'000'000, first);
    UNSIGNED_LONGS_EQUAL(now + 1'000'000, second);
    CHECK_TRUE(host::deadline_of(core) == never);
}

TEST(TimersOnFourCores, after_cancel_the_function_does_not_run) {
    // Each worker arms a timer whose function writes to the worker's own variable; after cancel() it reads it plainly. Its
    // own interrupt is played by itself half of the time: the other half the timer is cancelled before.
    std::array<int, workers + 1> mistakes{};
    on_four_cores([&](int worker) {
        int runs = 0;
        Timer timer([](void* count) { ++*static_cast<int*>(count); }, &runs);
        for (int i = 0; i < 5'000; ++i) {
            const int before = runs;
            timer.arm(machine_clock::now());
            if (i % 2 == 0) {
                timer_interrupt();
            }
            const bool not_run = timer.cancel();
            mistakes[static_cast<size_t>(worker)] += runs != before + (not_run ? 0 : 1);
        }
    });
    for (int count : mistakes) {
        LONGS_EQUAL(0, count);
    }
}

TEST(TimersOnFourCores, cancel_waits_for_a_function_that_runs_on_another_core) {
    // The other core arms a timer and plays its interrupt; meanwhile the test cancels it and ends its life.
    std::atomic<Timer*> wanted{nullptr}, armed{nullptr};
    std::atomic<bool> stop{false};
    std::thread other([&] {
        while (!stop) {
            if (Timer* timer = wanted.exchange(nullptr)) {
                timer->arm(machine_clock::now());
                armed = timer;
                timer_interrupt();
            }
            std::this_thread::yield();
        }
    });
    int mistakes = 0;
    for (int i = 0; i < 2'000; ++i) {
        int runs = 0;
        Timer timer([](void* count) { ++*static_cast<int*>(count); }, &runs);
        wanted = &timer;
        while (armed.exchange(nullptr) == nullptr) {
            std::this_thread::yield();
        }
        const bool not_run = timer.cancel();
        mistakes += runs != (not_run ? 0 : 1);      // a plain look: TSan reports a function that still runs
    }
    stop = true;
    other.join();
    LONGS_EQUAL(0, mistakes);
}

TEST(TimersOnFourCores, cancel_waits_for_a_function_that_armed_its_timer_again_or_that_was_armed_elsewhere_meanwhile) {
    struct Repeating {
        SpinLock lock{LockRank::Signals, "arming"};
        Timer timer{ring, this};
        std::atomic<bool> rings{false};
        int runs = 0;

        void arm_for_later() {
            SpinGuard guard(lock);
            timer.arm(machine_clock::now() + 1'000'000'000);
        }
        static void ring(void* context) {
            auto& self = *static_cast<Repeating*>(context);
            self.arm_for_later();
            self.rings = true;
            std::this_thread::yield();
            ++self.runs;
        }
    };
    std::atomic<Repeating*> wanted{nullptr};
    std::atomic<bool> stop{false};
    std::thread other([&] {
        while (!stop) {
            if (Repeating* one = wanted.exchange(nullptr)) {
                one->timer.arm(machine_clock::now());
                timer_interrupt();
            }
            std::this_thread::yield();
        }
    });
    int mistakes = 0;
    for (int i = 0; i < 300; ++i) {
        Repeating one;
        wanted = &one;
        while (!one.rings) {
            std::this_thread::yield();
        }
        if (i % 2 == 0) {
            one.arm_for_later();
        }
        const bool was_armed = one.timer.cancel();
        mistakes += !was_armed || one.runs != 1;
    }
    stop = true;
    other.join();
    LONGS_EQUAL(0, mistakes);
}
