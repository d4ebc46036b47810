// More timers than a core can serve: what is left of it for programs.
#include "unit/support.h"

#include "host/machine/host.h"
#include "kernel/timer.h"
#include "machine/clock.h"

namespace {

constexpr Nanoseconds microsecond = 1'000;
constexpr Nanoseconds time_of_function = 10 * microsecond;
constexpr size_t count = 200;

// Its function takes a while.
struct Busy {
    size_t calls = 0;
    Timer timer{[](void* self) {
                    ++static_cast<Busy*>(self)->calls;
                    host::set_clock(machine_clock::now() + time_of_function);
                },
                this};
};

}  // namespace

TEST_GROUP(TimerOverload) {
    Busy busy[count];

    void arm_all() {
        for (Busy& one : busy) {
            one.timer.arm(machine_clock::now());
        }
    }
    Nanoseconds next_interrupt() { return host::deadline_of(cpu::current().id); }
    void teardown() override {
        for (Busy& one : busy) {
            one.timer.cancel();
        }
    }
};

TEST(TimerOverload, the_next_interrupt_leaves_programs_as_long_as_the_functions_took) {
    arm_all();
    const Nanoseconds start = machine_clock::now();
    timer_interrupt();
    const Nanoseconds took = machine_clock::now() - start;
    CHECK_TRUE(took >= time_of_function);
    CHECK_TRUE(next_interrupt() >= machine_clock::now() + took);
    CHECK_TRUE(next_interrupt() != never);
}

TEST(TimerOverload, arming_does_not_cut_that_time_short) {
    arm_all();
    timer_interrupt();
    const Nanoseconds before = next_interrupt();
    busy[0].timer.arm(machine_clock::now());
    UNSIGNED_LONGS_EQUAL(before, next_interrupt());
}

TEST(TimerOverload, other_interrupts_wait_for_a_bounded_time_and_every_function_has_its_turn) {
    arm_all();
    for (size_t passes = 0; next_interrupt() != never; ++passes) {
        CHECK_TRUE(passes < count);
        host::set_clock(std::max(machine_clock::now(), next_interrupt()));
        const Nanoseconds start = machine_clock::now();
        timer_interrupt();
        CHECK_TRUE(machine_clock::now() - start <= 100 * microsecond + time_of_function);
    }
    for (Busy& one : busy) {
        UNSIGNED_LONGS_EQUAL(1, one.calls);
    }
}
