// ChaCha20.
#include "drivers/chacha20.h"

#include <bit>

namespace chacha20 {

namespace {

// The first row of the state: "expand 32-byte k".
constexpr uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

uint32_t load_little(const uint8_t* bytes) {
    return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

void store_little(uint8_t* bytes, uint32_t word) {
    for (unsigned i = 0; i < 4; ++i) {
        bytes[i] = static_cast<uint8_t>(word >> (8 * i));
    }
}

void quarter_round(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d) {
    a += b; d = std::rotl(d ^ a, 16);
    c += d; b = std::rotl(b ^ c, 12);
    a += b; d = std::rotl(d ^ a, 8);
    c += d; b = std::rotl(b ^ c, 7);
}

}  // namespace

void block(const uint8_t (&key)[key_bytes], uint32_t counter, const uint8_t (&nonce)[nonce_bytes],
           uint8_t (&output)[block_bytes]) {
    uint32_t start[16];
    for (unsigned i = 0; i < 4; ++i) {
        start[i] = constants[i];
    }
    for (unsigned i = 0; i < 8; ++i) {
        start[4 + i] = load_little(key + 4 * i);
    }
    start[12] = counter;
    for (unsigned i = 0; i < 3; ++i) {
        start[13 + i] = load_little(nonce + 4 * i);
    }

    uint32_t s[16];
    for (unsigned i = 0; i < 16; ++i) {
        s[i] = start[i];
    }
    // Ten times a round of the columns and a round of the diagonals.
    for (unsigned i = 0; i < 10; ++i) {
        for (unsigned column = 0; column < 4; ++column) {
            quarter_round(s[column], s[4 + column], s[8 + column], s[12 + column]);
        }
        for (unsigned column = 0; column < 4; ++column) {
            quarter_round(s[column], s[4 + (column + 1) % 4], s[8 + (column + 2) % 4], s[12 + (column + 3) % 4]);
        }
    }
    for (unsigned i = 0; i < 16; ++i) {
        store_little(output + 4 * i, s[i] + start[i]);
    }
}

}  // namespace chacha20
