// Who gets a core, and what a thread keeps while it has none.
#include "CppUTest/TestHarness.h"

#include "machine/fp.h"
#include "machine/mutex.h"
#include "kernel/stack.h"
#include "target/crew.h"

namespace {

std::atomic<bool> stop;

// Computes until told to stop, and remembers where.
struct Busy {
    int nice = 0;
    std::atomic<unsigned> cores{0};     // a bit for each it was seen on
    Nanoseconds time = 0;
    bool damaged = false;
};

void compute(void* argument) {
    auto& self = *static_cast<Busy*>(argument);
    Thread& thread = *cpu::current_thread();
    thread_set_nice(thread, self.nice);
    while (!stop) {
        {
            InterruptGuard guard;
            self.cores.fetch_or(1u << cpu::current().id);
        }
        // A sum that lives in registers across whatever interrupts it.
        uint64_t sum = 0;
        for (uint64_t i = 0; i < 1'000; ++i) {
            sum += i;
            asm volatile("" : "+r"(sum));
        }
        self.damaged |= sum != 499'500;
    }
    Nanoseconds user = 0, system = 0;
    thread_times(thread, user, system);
    self.time = user + system;
}

struct Counting {
    Mutex mutex{LockRank::Pipe, "counted"};
    uint64_t count = 0;
};

void count_up(void* argument) {
    auto& self = *static_cast<Counting*>(argument);
    for (int i = 0; i < 3'000; ++i) {
        MutexGuard guard(self.mutex);
        ++self.count;
    }
}

// Keeps a number of its own in a floating-point register, and gives way often.
struct Floating {
    uint64_t number = 0;
    int mistakes = 0;
};

void float_often(void* argument) {
    auto& self = *static_cast<Floating*>(argument);
    fp_first_use();
    asm volatile(".arch_extension fp\n\tfmov d8, %0" ::"r"(self.number));
    for (int i = 0; i < 300; ++i) {
        yield();
        uint64_t found;
        asm volatile(".arch_extension fp\n\tfmov %0, d8" : "=r"(found));
        self.mistakes += found != self.number;
    }
}

}  // namespace

TEST_GROUP(Scheduling) {
    Crew crew;
    void setup() override { stop = false; }

    // Lets them compute until each has had some time, or for twenty seconds.
    bool all_compute(Busy * busy, int count, unsigned cores_wanted = 0) {
        for (int i = 0; i < count; ++i) {
            if (!crew.start(compute, &busy[i])) {
                return false;
            }
        }
        const Nanoseconds limit = machine_clock::now() + 20 * nanoseconds_per_second;
        while (!(all_ran(busy, count) && cores_of(busy, count) >= cores_wanted) && machine_clock::now() < limit) {
            sleep_until(machine_clock::now() + 5 * millisecond, false);
        }
        stop = true;
        return crew.wait();
    }
    static bool all_ran(const Busy* busy, int count) {
        for (int i = 0; i < count; ++i) {
            if (busy[i].cores == 0) {
                return false;
            }
        }
        return true;
    }
    static unsigned cores_of(const Busy* busy, int count) {
        unsigned cores = 0;
        for (int i = 0; i < count; ++i) {
            cores |= busy[i].cores;
        }
        return cores;
    }
};

TEST(Scheduling, threads_that_compute_spread_over_all_cores) {
    Busy busy[8];
    constexpr unsigned all = (1u << max_cores) - 1;
    CHECK_TRUE(all_compute(busy, 8, all));
    for (Busy& one : busy) {
        CHECK_FALSE(one.damaged);
        CHECK_TRUE(one.time > 0);
    }
    UNSIGNED_LONGS_EQUAL(all, cores_of(busy, 8));
}

// How much each gets is the run queues' arithmetic (tests/unit), exact there; here time passes as the host pleases.
TEST(Scheduling, the_nicest_thread_among_greedy_ones_is_not_starved) {
    Busy busy[12];
    busy[0].nice = busy[1].nice = 19;
    CHECK_TRUE(all_compute(busy, 12));
    for (Busy& one : busy) {
        CHECK_TRUE(one.time > 0);
    }
}

TEST(Scheduling, a_mutex_lets_one_thread_at_a_time_in) {
    Counting counting;
    for (int i = 0; i < 8; ++i) {
        CHECK_TRUE(crew.start(count_up, &counting));
    }
    CHECK_TRUE(crew.wait());
    UNSIGNED_LONGS_EQUAL(24'000, counting.count);
}

TEST(Scheduling, floating_point_registers_belong_to_their_thread) {
    Floating floating[6];
    for (int i = 0; i < 6; ++i) {
        floating[i].number = 0x4000'0000'0000'0001u + static_cast<uint64_t>(i);
        CHECK_TRUE(crew.start(float_often, &floating[i]));
    }
    CHECK_TRUE(crew.wait());
    for (Floating& one : floating) {
        LONGS_EQUAL(0, one.mistakes);
    }
}

// The switch in the middle comes at each run: a program that came back from vfork or from a handler had the old registers if
// it was preempted just then.
TEST(Scheduling, floating_point_registers_that_are_overwritten_survive_a_switch_in_the_middle) {
    constexpr size_t words = sizeof(FpState::q) / sizeof(uint64_t);
    FpState old{};
    FpState found{};
    fp_replace(old);
    fp_first_use();     // the old ones are on the core
    FpState& fp = fp_overwrite();
    for (size_t i = 0; i < words; ++i) {
        if (i == words / 2) {
            sleep_until(machine_clock::now() + millisecond, false);
        }
        fp.q[i] = i + 1;
    }
    sleep_until(machine_clock::now() + millisecond, false);
    fp_first_use();
    fp_sync();
    found = cpu::current_thread()->fp;
    fp_discard();
    for (size_t i = 0; i < words; ++i) {
        UNSIGNED_LONGS_EQUAL(i + 1, found.q[i]);
    }
}

TEST(Scheduling, a_thread_that_ended_leaves_nothing_behind) {
    const StackStats stacks = stack_stats();
    const uint64_t threads = Thread::count();
    for (int round = 0; round < 20; ++round) {
        Crew many;
        for (int i = 0; i < 20; ++i) {
            CHECK_TRUE(many.start([](void*) { yield(); }, nullptr));
        }
        CHECK_TRUE(many.wait());
    }
    UNSIGNED_LONGS_EQUAL(threads, Thread::count());
    UNSIGNED_LONGS_EQUAL(stacks.live, stack_stats().live);
}

TEST(Scheduling, waiting_stacks_can_be_given_back_and_made_again) {
    CHECK_TRUE(crew.start([](void*) {}, nullptr));
    CHECK_TRUE(crew.wait());
    const size_t waiting = stack_stats().waiting;
    CHECK_TRUE(waiting > 0);
    UNSIGNED_LONGS_EQUAL(waiting * kernel_stack_size / page_size, stacks_reclaim().value);
    UNSIGNED_LONGS_EQUAL(0, stack_stats().waiting);
    Crew again;
    CHECK_TRUE(again.start([](void*) {}, nullptr));
    CHECK_TRUE(again.wait());
}

TEST(Scheduling, idle_cores_are_left_alone) {
    const SchedStats before = sched_stats();
    const Nanoseconds start = machine_clock::now();
    sleep_until(start + 200 * millisecond, false);
    const Nanoseconds time = machine_clock::now() - start;
    const SchedStats after = sched_stats();
    // Our own alarm and little else; most of the four cores' time was idle.
    CHECK_TRUE(after.interrupts - before.interrupts <= 20);
    CHECK_TRUE(after.idle - before.idle > time * 2);
}
