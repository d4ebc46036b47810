// Random numbers: the BCM2835's noise generator, and a generator that stretches what it gives.
//
// RandomPool keeps a key and no other state; each request turns the key into output and into the next key, so that
// nobody who reads the pool later can compute what it gave before ("fast key erasure"). Fresh noise is mixed into
// the key from time to time. With a fixed seed it is deterministic, for runs that repeat.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bits.h"
#include "base/result.h"
#include "base/types.h"
#include "drivers/chacha20.h"
#include "machine/rpi3/register.h"
#include "machine/spin_lock.h"

// At 0x3f104000. The manual leaves the block out; the names are those of Broadcom's published driver.
struct RandomRegisters {
    Register control;
    Register status;
    ReadOnlyRegister data;
    Register threshold;

    using Enable = BitField<uint32_t, 0>;               // control
    using WarmUp = BitField<uint32_t, 0, 19>;           // status: words to throw away first
    using WordsReady = BitField<uint32_t, 24, 31>;      // status
};
static_assert(sizeof(RandomRegisters) == 0x10);

class HardwareRandom {
public:
    constexpr HardwareRandom() = default;
    void start(RandomRegisters& registers);
    // One word of noise, at once. TryAgain: none is ready (it takes a quarter of a second to warm up, then
    // microseconds a word). NoDevice: not started.
    Result<uint32_t> word();

private:
    RandomRegisters* registers_ = nullptr;
};

class RandomPool {
public:
    constexpr RandomPool() = default;

    // Keys the pool from the clock and from what noise there is. While the hardware warms up, each request takes
    // more of it, until a whole key's worth is in.
    void start(HardwareRandom& hardware);
    // True once nobody can guess the output: a key's worth of noise is in. Not with a fixed seed.
    bool keyed();
    // Keys the pool from `seed` alone: from here on the output is always the same.
    void start_with_seed(uint64_t seed);

    // Fills `bytes` bytes; any number, any context.
    void fill(void* output, size_t bytes);
    // Mixes anything that may be unexpected into the key, such as the time of an interrupt. Can only help.
    void mix(const void* input, size_t bytes);

private:
    static constexpr unsigned words_per_key = chacha20::key_bytes / 4;
    static constexpr uint64_t bytes_between_keys = 1 << 20;

    void take_noise_locked() REQUIRES(lock_);
    void mix_locked(const uint8_t* input, size_t bytes) REQUIRES(lock_);
    void fill_piece_locked(uint8_t* output, size_t bytes) REQUIRES(lock_);

    SpinLock lock_{LockRank::Random, "random"};
    uint8_t key_[chacha20::key_bytes] GUARDED_BY(lock_) = {};
    uint64_t given_since_key_ GUARDED_BY(lock_) = 0;
    unsigned words_missing_ GUARDED_BY(lock_) = words_per_key;
    bool keyed_ GUARDED_BY(lock_) = false;
    HardwareRandom* hardware_ GUARDED_BY(lock_) = nullptr;
};
