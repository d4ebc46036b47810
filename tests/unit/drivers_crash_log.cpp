// The text that outlives a reset, in memory that the test keeps from one "boot" to the next.
#include "drivers/crash_log.h"

#include <cstring>
#include <string>

#include "machine/host.h"
#include "unit/support.h"

TEST_GROUP(CrashLogs) {
    alignas(64) static inline char memory[CrashLog::bytes];

    void setup() override { memset(memory, 0xa5, sizeof memory); }
    void teardown() override {
        host::mmu_recording = false;
        host::mmu_observe = nullptr;
    }
    // What the next boot finds.
    static std::string_view found() {
        static CrashLog next;
        next = CrashLog();
        next.start(memory);
        return next.left();
    }
    static void crash(std::string_view first, std::string_view second) {
        CrashLog log;
        log.start(memory);
        log.add(first);
        log.add(second);
        log.keep();
    }
};

TEST(CrashLogs, what_was_kept_is_there_at_the_next_boot_and_once) {
    crash("panic: ", "on purpose\n");
    CHECK(found() == "panic: on purpose\n");
    CrashLog log;
    log.start(memory);
    log.forget();
    CHECK(found().empty());
}

TEST(CrashLogs, garbage_is_none) {
    CHECK(found().empty());
    memset(memory, 0, sizeof memory);
    CHECK(found().empty());
}

TEST(CrashLogs, a_byte_that_was_lost_is_noticed) {
    crash("panic: ", "on purpose\n");
    memory[30] ^= 1;
    CHECK(found().empty());
}

TEST(CrashLogs, a_length_beyond_the_memory_is_not_believed) {
    crash("panic: ", "on purpose\n");
    memory[15] = 0x7f;
    CHECK(found().empty());
}

TEST(CrashLogs, what_was_not_kept_yet_is_not_taken_for_whole) {
    crash("the first", "\n");
    CrashLog log;
    log.start(memory);
    log.add("the second");
    CHECK(found().empty());
    log.keep();
    CHECK(found() == "the second");
    log.add(", and more");
    log.keep();
    CHECK(found() == "the second, and more");
}

TEST(CrashLogs, what_does_not_fit_is_left_out) {
    CrashLog log;
    log.start(memory);
    for (int i = 0; i < 100; ++i) {
        log.add(std::string(1000, static_cast<char>('a' + i % 26)));
    }
    log.keep();
    UNSIGNED_LONGS_EQUAL(CrashLog::bytes - 24, found().size());
    CHECK(found().starts_with(std::string(1000, 'a') + "b"));
}

TEST(CrashLogs, it_is_whole_before_it_is_cleaned_to_memory) {
    CrashLog log;
    log.start(memory);
    log.add("panic");
    bool whole = false;
    host::mmu_calls.clear();
    host::mmu_recording = true;
    host::mmu_observe = [&](const host::MmuCall& call) { whole = call.kind == host::MmuCall::Kind::DataCleaned && found() == "panic"; };
    log.keep();
    CHECK_TRUE(whole);
    UNSIGNED_LONGS_EQUAL(1, host::mmu_calls.size());
}
