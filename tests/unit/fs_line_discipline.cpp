// What a terminal makes of typed bytes, above all of those that are typed ahead of a change of mode.
#include "unit/support.h"

#include "base/format.h"
#include "kernel/fs/line_discipline.h"

TEST_GROUP(LineDiscipline) {
    static constexpr size_t ring_size = 16;
    LineDiscipline::Cell ring[ring_size];
    LineDiscipline line;
    TextBuffer<512> shown;
    int signal = 0;

    void setup() override { line.use_ring(ring); }

    void note(const LineDiscipline::Effect& effect, const EchoBuffer& echo) {
        signal = effect.signal != 0 ? effect.signal : signal;
        for (const uint8_t byte : echo.bytes()) {
            shown.add("{}", std::string_view(reinterpret_cast<const char*>(&byte), 1));
        }
    }
    void type(std::string_view text) {
        for (const char byte : text) {
            EchoBuffer echo;
            const LineDiscipline::Effect effect = line.typed(static_cast<uint8_t>(byte), echo);
            note(effect, echo);
        }
    }
    void set_local(uint32_t off, uint32_t on) {
        ForkloreTermios settings = line.settings();
        settings.local = (settings.local & ~off) | on;
        line.change_settings(settings, false);
        EchoBuffer echo;
        LineDiscipline::Effect effect;
        while (line.retype(effect, echo)) {
            note(effect, echo);
            echo.clear();
        }
    }
    // As a shell's line editor does.
    void edit_keys() { set_local(FL_ICANON | FL_ECHO | FL_ISIG, 0); }
    void edit_lines() { set_local(0, FL_ICANON | FL_ECHO | FL_ISIG); }
    // One read: at most `capacity` bytes.
    std::string_view read(size_t capacity = sizeof bytes) {
        return {reinterpret_cast<char*>(bytes), line.take(bytes, capacity, ended)};
    }
    uint8_t bytes[64];
    bool ended = false;
};

TEST(LineDiscipline, a_line_is_readable_when_it_ends) {
    type("ab");
    CHECK_FALSE(line.ready(1));
    type("\r");
    CHECK_TRUE(line.ready(1));
    CHECK_TRUE(read() == "ab\n");
    CHECK_TRUE(shown.text() == "ab\r\n");
}

TEST(LineDiscipline, erasing_takes_back_what_was_typed) {
    type("echp\x7fo one two\x17\r");
    CHECK_TRUE(read() == "echo one \n");
}

TEST(LineDiscipline, an_end_of_file_is_an_empty_read) {
    type("\x04");
    CHECK_TRUE(line.ready(1));
    CHECK_TRUE(read() == "");
    CHECK_TRUE(ended);
    CHECK_FALSE(line.ready(1));
}

TEST(LineDiscipline, raw_bytes_are_readable_at_once_and_not_shown) {
    edit_keys();
    type("a\x03");
    CHECK_TRUE(read() == "a\x03");
    CHECK_EQUAL(0, signal);
    CHECK_TRUE(shown.text().empty());
}

TEST(LineDiscipline, a_line_typed_ahead_in_raw_mode_is_a_line_afterwards) {
    edit_keys();
    type("cat\rline\r");
    CHECK_TRUE(read(4) == "cat\n");
    edit_lines();
    CHECK_TRUE(shown.text() == "line\r\n");
    CHECK_TRUE(line.ready(1));
    CHECK_TRUE(read() == "line\n");
    CHECK_FALSE(line.ready(1));
}

TEST(LineDiscipline, a_carriage_return_is_translated_by_the_mode_that_reads_it) {
    ForkloreTermios settings = line.settings();
    settings.input &= ~static_cast<uint32_t>(FL_ICRNL);
    settings.local &= ~static_cast<uint32_t>(FL_ICANON);
    const ForkloreTermios usual = line.settings();
    line.change_settings(settings, false);
    type("a\r");
    line.change_settings(usual, false);
    set_local(0, 0);
    CHECK_TRUE(read() == "a\n");
}

TEST(LineDiscipline, erasing_typed_ahead_edits_the_line) {
    edit_keys();
    type("lime\x7f\x7fne\rx");
    edit_lines();
    CHECK_TRUE(read() == "line\n");
    CHECK_FALSE(line.ready(1));
    type("\x7fy\r");
    CHECK_TRUE(read() == "y\n");
}

TEST(LineDiscipline, an_interrupt_typed_ahead_drops_what_came_before_it_and_keeps_what_comes_after) {
    edit_keys();
    type("lost\r\x03kept\r");
    edit_lines();
    CHECK_EQUAL(FL_SIGINT, signal);
    CHECK_TRUE(shown.text() == "lost\r\n^Ckept\r\n");
    CHECK_TRUE(read() == "kept\n");
    CHECK_FALSE(line.ready(1));
}

TEST(LineDiscipline, an_end_of_file_typed_ahead_ends_the_file_once) {
    edit_keys();
    type("a\r\x04" "b\r");
    edit_lines();
    CHECK_TRUE(read() == "a\n");
    CHECK_TRUE(read() == "");
    CHECK_TRUE(ended);
    CHECK_TRUE(read() == "b\n");
}

TEST(LineDiscipline, an_end_of_file_that_no_reader_of_lines_took_is_a_byte_to_a_reader_of_bytes) {
    type("a\x04");
    edit_keys();
    CHECK_TRUE(line.ready(1));
    CHECK_TRUE(read(1) == "a");
    CHECK_TRUE(read(1) == "\x04");
}

TEST(LineDiscipline, lines_survive_raw_mode_without_being_shown_again) {
    type("one\rtw");
    edit_keys();
    edit_lines();
    CHECK_TRUE(shown.text() == "one\r\ntw");
    CHECK_TRUE(read() == "one\n");
    CHECK_FALSE(line.ready(1));
    type("o\r");
    CHECK_TRUE(read() == "two\n");
}

TEST(LineDiscipline, what_raw_mode_has_shown_is_not_shown_again) {
    set_local(FL_ICANON, 0);
    type("a\r");
    set_local(0, FL_ICANON);
    CHECK_TRUE(shown.text() == "a\r\n");
    CHECK_TRUE(read() == "a\n");
}

TEST(LineDiscipline, a_flush_drops_what_was_typed_ahead) {
    edit_keys();
    type("gone\r");
    ForkloreTermios settings = line.settings();
    settings.local |= FL_ICANON | FL_ECHO;
    line.change_settings(settings, true);
    EchoBuffer echo;
    LineDiscipline::Effect effect;
    CHECK_FALSE(line.retype(effect, echo));
    CHECK_FALSE(line.ready(1));
}

TEST(LineDiscipline, a_full_ring_typed_ahead_can_still_be_ended) {
    edit_keys();
    type("0123456789abcdefgh");
    edit_lines();
    CHECK_FALSE(line.ready(1));
    type("\r");
    CHECK_TRUE(read() == "0123456789abcde\n");
}

TEST(LineDiscipline, a_full_ring_of_lines_survives_both_changes) {
    type("0123456789abcde\r");
    edit_keys();
    edit_lines();
    CHECK_TRUE(read() == "0123456789abcde\n");
    CHECK_FALSE(line.ready(1));
}

TEST(LineDiscipline, a_ring_may_go_round_many_times) {
    for (int i = 0; i < 100; ++i) {
        edit_keys();
        type("x\rabc\r");
        CHECK_TRUE(read(2) == "x\n");
        edit_lines();
        CHECK_TRUE(read() == "abc\n");
    }
    CHECK_FALSE(line.ready(1));
}
