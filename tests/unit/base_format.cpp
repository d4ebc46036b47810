// Text from values.
#include "CppUTest/TestHarness.h"

#include "base/format.h"

TEST_GROUP(Format) {
    TextBuffer<64> text;
};

TEST(Format, prints_numbers_text_and_addresses) {
    text.add("{} {} {} {}", 42u, -7, "cat", UserAddr(0x400000));
    STRCMP_EQUAL("42 -7 cat 0x400000", text.c_str());
}

TEST(Format, prints_the_widest_numbers) {
    text.add("{} {x}", INT64_MIN, ~uint64_t{0});
    STRCMP_EQUAL("-9223372036854775808 ffffffffffffffff", text.c_str());
}

TEST(Format, pads_on_either_side) {
    text.add("[{5}][{-5}]", 12, "ab");
    STRCMP_EQUAL("[   12][ab   ]", text.c_str());
}

TEST(Format, says_yes_and_no) {
    text.add("{} {} {}", true, false, 'c');
    STRCMP_EQUAL("yes no c", text.c_str());
}

TEST(Format, shows_a_missing_argument_and_drops_a_surplus_one) {
    text.add("{} {}", 1);
    text.add(" end", 2);
    STRCMP_EQUAL("1 {?} end", text.c_str());
}

TEST(Format, cuts_at_the_end_of_the_buffer) {
    TextBuffer<8> small;
    small.add("{}", "0123456789");
    STRCMP_EQUAL("0123456", small.c_str());
}
