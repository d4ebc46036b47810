// Bitmap, BitField, addresses.
#include "CppUTest/TestHarness.h"

#include "base/bitmap.h"
#include "base/bits.h"
#include "base/types.h"

TEST_GROUP(Bitmap) {
    uint64_t words[3] = {};
    Bitmap bits{words, 150};
};

TEST(Bitmap, sets_tests_and_clears) {
    bits.set(0);
    bits.set(149);
    CHECK_TRUE(bits.test(0) && bits.test(149));
    CHECK_FALSE(bits.test(1) || bits.test(148));
    bits.clear(149);
    CHECK_FALSE(bits.test(149));
}

TEST(Bitmap, finds_the_first_clear_bit_across_words) {
    for (size_t i = 0; i < 130; ++i) {
        bits.set(i);
    }
    UNSIGNED_LONGS_EQUAL(130, bits.first_clear(0, 150));
    UNSIGNED_LONGS_EQUAL(140, bits.first_clear(140, 150));
    bits.clear(64);
    UNSIGNED_LONGS_EQUAL(64, bits.first_clear(3, 150));
}

TEST(Bitmap, finds_none_in_a_full_range) {
    for (size_t i = 10; i < 20; ++i) {
        bits.set(i);
    }
    CHECK_TRUE(Bitmap::none == bits.first_clear(10, 20));
    CHECK_TRUE(Bitmap::none == bits.first_clear(20, 20));
}

TEST_GROUP(BitField) {};

TEST(BitField, touches_its_own_bits_alone) {
    using Middle = BitField<uint32_t, 4, 7>;
    using Top = BitField<uint64_t, 63>;
    UNSIGNED_LONGS_EQUAL(0xf0, Middle::mask);
    UNSIGNED_LONGS_EQUAL(0x5, Middle::get(0xabcd'ef57));
    UNSIGNED_LONGS_EQUAL(0xffff'ff3f, Middle::set(0xffff'ffff, 3));
    UNSIGNED_LONGS_EQUAL(0xf0, Middle::of(0xff));
    CHECK_TRUE(Top::mask == uint64_t{1} << 63);
}

TEST_GROUP(Addresses) {};

TEST(Addresses, round_to_pages) {
    CHECK_TRUE(UserAddr(0x1fff).page_down() == UserAddr(0x1000));
    CHECK_TRUE(UserAddr(0x1001).page_up() == UserAddr(0x2000));
    CHECK_TRUE(UserAddr(0x1000).page_up() == UserAddr(0x1000));
    UNSIGNED_LONGS_EQUAL(0x234, UserAddr(0x1234).page_offset());
    UNSIGNED_LONGS_EQUAL(2, PageCount::covering(4097).value);
}
