// Programs that fault without end do not fill the log: what is left out is counted, and told.
#include "unit/support.h"

#include "host/machine/host.h"
#include "kernel/log.h"
#include "machine/clock.h"

TEST_GROUP(LogFlood) {
    bool was_quiet = false;
    char text[16'384] = {};

    void setup() override {
        was_quiet = log_set_quiet(true);
        pass(3600);     // whatever other tests logged has had its time
    }
    void teardown() override { log_set_quiet(was_quiet); }

    void pass(uint64_t seconds) { host::set_clock(machine_clock::now() + seconds * nanoseconds_per_second); }
    // How often it stands in the log.
    size_t found(std::string_view what) {
        const std::string_view all{text, log_read(text, sizeof text)};
        size_t times = 0;
        for (size_t at = all.find(what); at != all.npos; at = all.find(what, at + 1)) {
            ++times;
        }
        return times;
    }
    void flood(const char* what, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            log_of_program("{}", what);
        }
    }
};

TEST(LogFlood, is_cut_off_after_a_burst) {
    flood("burst", 1000);
    UNSIGNED_LONGS_EQUAL(100, found("burst\n"));
}

TEST(LogFlood, has_some_lines_a_second_from_then_on_and_says_how_many_are_missing) {
    flood("before", 101);
    pass(1);
    flood("after", 30);
    UNSIGNED_LONGS_EQUAL(20, found("after\n"));
    UNSIGNED_LONGS_EQUAL(1, found("1 lines of programs are left out here\n"));
}

TEST(LogFlood, of_programs_does_not_keep_the_kernels_own_lines_out) {
    flood("many", 1000);
    log("its own");
    UNSIGNED_LONGS_EQUAL(1, found("its own\n"));
}
