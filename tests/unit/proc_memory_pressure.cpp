// Who ends when there is no memory left; that the others wait for it is seen at EL0.
#include "kernel/proc/memory_pressure.h"
#include "unit/proc_support.h"

#include "kernel/proc/calls.h"

TEST_GROUP_BASE(MemoryPressure, ProcessTest) {
    static bool told_to_end(Proc& proc) {
        SpinGuard guard(proc.signals.lock);
        return proc.signals.pending == signal_bit(FL_SIGKILL);
    }
};

TEST(MemoryPressure, a_fault_ends_its_own_process_if_that_is_of_the_lowest_band) {
    touch_memory();
    Proc& child = forked();
    must(call(sys_memory_band, 0, FL_BAND_BACKGROUND));
    CHECK_FALSE(relieve_memory_pressure(MemoryNeed::Fault));
    CHECK_TRUE(told_to_end(me()));
    CHECK_FALSE(told_to_end(child));
}

TEST(MemoryPressure, a_fault_ends_the_largest_process_of_a_band) {
    Proc& child = forked();
    touch_memory();
    CHECK_FALSE(relieve_memory_pressure(MemoryNeed::Fault));
    CHECK_TRUE(told_to_end(me()));
    CHECK_FALSE(told_to_end(child));
}

TEST(MemoryPressure, a_call_ends_nobody_of_its_own_band_or_above) {
    touch_memory();
    Proc& child = forked();
    must(call(sys_memory_band, number(child.pid), FL_BAND_CRITICAL));
    CHECK_FALSE(relieve_memory_pressure(MemoryNeed::Call));
    CHECK_FALSE(told_to_end(me()));
    CHECK_FALSE(told_to_end(child));
}

TEST(MemoryPressure, init_does_not_end_even_alone_and_of_the_lowest_band) {
    host::Acting acting(host::init());
    must(call(sys_memory_band, 0, FL_BAND_IDLE));
    must(space().map(data, page_size, Protection::read_write(), {.fixed = true}));
    put(data, 1);
    CHECK_FALSE(relieve_memory_pressure(MemoryNeed::Fault));
    CHECK_FALSE(told_to_end(host::init()));
    must(call(sys_memory_band, 0, FL_BAND_DEFAULT));
    must(space().unmap(data, page_size));
}

TEST(MemoryPressure, where_nobody_can_sleep_nobody_ends) {
    touch_memory();
    {
        InterruptGuard off;
        CHECK_FALSE(relieve_memory_pressure(MemoryNeed::Fault));
    }
    CHECK_FALSE(told_to_end(me()));
}
