// The ChaCha20 block function (RFC 8439, 2.3): 64 bytes that nobody can tell from chance without the key.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chacha20 {

inline constexpr size_t key_bytes = 32;
inline constexpr size_t nonce_bytes = 12;
inline constexpr size_t block_bytes = 64;

void block(const uint8_t (&key)[key_bytes], uint32_t counter, const uint8_t (&nonce)[nonce_bytes],
           uint8_t (&output)[block_bytes]);

}  // namespace chacha20
