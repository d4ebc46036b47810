// ChaCha20 against the standard's vector, and the pool of random numbers over it.
#include "drivers/chacha20.h"
#include "drivers/random.h"

#include "CppUTest/TestHarness.h"    // last: it redefines new

TEST_GROUP(ChaCha20) {};

// RFC 8439, 2.3.2.
TEST(ChaCha20, TheBlockOfTheStandardComesOut) {
    uint8_t key[32];
    for (uint8_t i = 0; i < 32; ++i) {
        key[i] = i;
    }
    const uint8_t nonce[12] = {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
    const uint8_t expected[64] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
        0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
        0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
        0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
    };
    uint8_t output[64];
    chacha20::block(key, 1, nonce, output);
    MEMCMP_EQUAL(expected, output, sizeof(output));
}

// RFC 8439, A.1, vector 1: all zero.
TEST(ChaCha20, AZeroKeyGivesTheStandardsBlockToo) {
    const uint8_t key[32] = {}, nonce[12] = {};
    const uint8_t first[8] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90};
    uint8_t output[64];
    chacha20::block(key, 0, nonce, output);
    MEMCMP_EQUAL(first, output, sizeof(first));
}

TEST_GROUP(RandomPool) {
    RandomPool pool, other;
    uint8_t one[200] = {}, two[200] = {};
    uint32_t words[sizeof(RandomRegisters) / 4] = {};
    RandomRegisters& registers() { return *reinterpret_cast<RandomRegisters*>(words); }
};

TEST(RandomPool, TheSameSeedGivesTheSameNumbers) {
    pool.start_with_seed(42);
    other.start_with_seed(42);
    pool.fill(one, sizeof(one));
    other.fill(two, sizeof(two));
    MEMCMP_EQUAL(one, two, sizeof(one));
    CHECK(!pool.keyed());
}

TEST(RandomPool, AnotherSeedGivesOthers) {
    pool.start_with_seed(42);
    other.start_with_seed(43);
    pool.fill(one, sizeof(one));
    other.fill(two, sizeof(two));
    CHECK(__builtin_memcmp(one, two, sizeof(one)) != 0);
}

TEST(RandomPool, TwoRequestsInARowDiffer) {
    pool.start_with_seed(42);
    pool.fill(one, sizeof(one));
    pool.fill(two, sizeof(two));
    CHECK(__builtin_memcmp(one, two, sizeof(one)) != 0);
}

TEST(RandomPool, WhatIsMixedInChangesWhatComesOut) {
    pool.start_with_seed(42);
    other.start_with_seed(42);
    other.mix("x", 1);
    pool.fill(one, sizeof(one));
    other.fill(two, sizeof(two));
    CHECK(__builtin_memcmp(one, two, sizeof(one)) != 0);
}

TEST(RandomPool, ItIsKeyedWhenTheHardwareHasWarmedUp) {
    HardwareRandom hardware;
    hardware.start(registers());
    LONGS_EQUAL(1, words[0] & 1);
    LONGS_EQUAL(0x4'0000, words[1]);
    pool.start(hardware);
    CHECK(!pool.keyed());
    words[1] = 1u << 24;
    pool.fill(one, sizeof(one));
    CHECK(pool.keyed());
}

TEST(RandomPool, HardwareThatWasNeverStartedHasNoWord) {
    HardwareRandom hardware;
    CHECK(hardware.word().error() == Error::NoDevice);
    pool.start(hardware);
    pool.fill(one, sizeof(one));
    CHECK(!pool.keyed());
}
