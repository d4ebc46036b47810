// The kernel log: what was logged last can be read, in whole lines, and goes to whoever shows it.
#include "unit/support.h"

#include "kernel/log.h"
#include "machine/console.h"
#include "machine/spin_lock.h"

namespace {

TextBuffer<4096>* shown;
void show(std::string_view text) { shown->add("{}", text); }

}  // namespace

TEST_GROUP(Log) {
    TextBuffer<4096> seen;
    char text[512] = {};
    bool was_quiet = false;

    void setup() override {
        was_quiet = log_set_quiet(false);   // what came before is not ours to show
        shown = &seen;
        log_set_output(show);
    }
    void teardown() override {
        log_set_output(console::put);
        log_set_quiet(was_quiet);
    }
    std::string_view read(size_t capacity) { return {text, log_read(text, capacity)}; }
};

TEST(Log, a_line_is_shown_as_it_comes) {
    log("{} pages at {x}", 3, 0x40u);
    CHECK_TRUE(seen.text() == "3 pages at 40\n");
}

TEST(Log, the_newest_lines_that_fit_are_read_oldest_first) {
    log("first");
    log("second");
    CHECK_TRUE(read(13) == "first\nsecond\n");
    CHECK_TRUE(read(12) == "second\n");
    CHECK_TRUE(read(3) == "");
}

TEST(Log, a_quiet_log_keeps_its_lines_and_does_not_show_them) {
    log_set_quiet(true);
    log("hidden");
    CHECK_TRUE(seen.text().empty());
    CHECK_TRUE(read(7) == "hidden\n");
}

TEST(Log, under_a_spin_lock_a_line_waits_to_be_shown) {
    SpinLock lock{LockRank::Devices, "tested"};
    bool shown_at_once = true;
    {
        SpinGuard guard(lock);
        log("patient");
        shown_at_once = !seen.text().empty();
    }
    CHECK_FALSE(shown_at_once);
    log_show();
    CHECK_TRUE(seen.text() == "patient\n");
}

TEST(Log, what_does_not_fit_into_a_line_is_cut) {
    char wide[400];
    for (char& c : wide) {
        c = 'x';
    }
    log("{}", std::string_view(wide, sizeof wide));
    CHECK_TRUE(seen.text().size() > 200 && seen.text().size() < 300 && seen.text().ends_with("x\n"));
}

TEST(Log, the_ring_keeps_the_end_of_what_was_logged) {
    for (int i = 0; i < 2000; ++i) {
        log("line {}", i);
    }
    CHECK_TRUE(read(sizeof text).ends_with("line 1998\nline 1999\n"));
}

TEST(Log, a_piece_of_it_is_no_more_than_a_line) {
    SpinLock lock{LockRank::Devices, "tested"};
    {
        SpinGuard guard(lock);
        for (int i = 0; i < 40; ++i) {
            log("a line that waits");
        }
    }
    CHECK_TRUE(log_show_piece());
    CHECK_TRUE(!seen.text().empty() && seen.text().size() <= 256);
    log_show();
    UNSIGNED_LONGS_EQUAL(40 * 18, seen.text().size());
    CHECK_FALSE(log_show_piece());
}
