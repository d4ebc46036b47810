// Noise, and the pool.
#include "drivers/random.h"

#include "machine/clock.h"
#include "machine/rpi3/device.h"

void HardwareRandom::start(RandomRegisters& registers) {
    // The first words after switching on are not random yet: the generator counts them down in `status`.
    static constexpr uint32_t warm_up_words = 0x4'0000;
    device::barrier();
    if (RandomRegisters::Enable::get(registers.control.read()) == 0) {
        registers.status.write(RandomRegisters::WarmUp::of(warm_up_words));
        registers.control.write(RandomRegisters::Enable::of(1));
    }
    device::barrier();
    registers_ = &registers;
}

Result<uint32_t> HardwareRandom::word() {
    if (registers_ == nullptr) {
        return Error::NoDevice;
    }
    device::barrier();
    if (RandomRegisters::WordsReady::get(registers_->status.read()) == 0) {
        return Error::TryAgain;
    }
    const uint32_t word = registers_->data.read();
    device::barrier();
    return word;
}

void RandomPool::start(HardwareRandom& hardware) {
    SpinGuard guard(lock_);
    hardware_ = &hardware;
    const Nanoseconds now = machine_clock::now();
    mix_locked(reinterpret_cast<const uint8_t*>(&now), sizeof(now));
    take_noise_locked();
}

bool RandomPool::keyed() {
    SpinGuard guard(lock_);
    return keyed_;
}

void RandomPool::start_with_seed(uint64_t seed) {
    SpinGuard guard(lock_);
    hardware_ = nullptr;
    for (uint8_t& byte : key_) {
        byte = 0;
    }
    keyed_ = false;
    given_since_key_ = 0;
    mix_locked(reinterpret_cast<const uint8_t*>(&seed), sizeof(seed));
}

// Never waits: what the hardware does not have now, the next request will ask for.
void RandomPool::take_noise_locked() {
    while (hardware_ != nullptr && words_missing_ != 0) {
        auto word = hardware_->word();
        if (!word.ok()) {
            return;
        }
        mix_locked(reinterpret_cast<const uint8_t*>(&word.value()), sizeof(uint32_t));
        if (--words_missing_ == 0) {
            keyed_ = true;
        }
    }
}

// Each 32 bytes of input are added to the key, and the sum is replaced by what ChaCha20 makes of it.
void RandomPool::mix_locked(const uint8_t* input, size_t bytes) {
    while (bytes != 0) {
        const size_t piece = bytes < sizeof(key_) ? bytes : sizeof(key_);
        for (size_t i = 0; i < piece; ++i) {
            key_[i] ^= input[i];
        }
        fill_piece_locked(nullptr, 0);
        input += piece;
        bytes -= piece;
    }
}

void RandomPool::mix(const void* input, size_t bytes) {
    SpinGuard guard(lock_);
    mix_locked(static_cast<const uint8_t*>(input), bytes);
}

// The first half of the first block becomes the next key; the output is what follows.
void RandomPool::fill_piece_locked(uint8_t* output, size_t bytes) {
    static constexpr uint8_t nonce[chacha20::nonce_bytes] = {};
    uint8_t block[chacha20::block_bytes];
    uint8_t next_key[sizeof(key_)];
    uint32_t counter = 0;
    chacha20::block(key_, counter++, nonce, block);
    __builtin_memcpy(next_key, block, sizeof(next_key));
    size_t used = sizeof(next_key);
    for (size_t i = 0; i < bytes; ++i) {
        if (used == sizeof(block)) {
            chacha20::block(key_, counter++, nonce, block);
            used = 0;
        }
        output[i] = block[used++];
    }
    __builtin_memcpy(key_, next_key, sizeof(key_));
}

void RandomPool::fill(void* output, size_t bytes) {
    // In pieces, so that interrupts are off for microseconds only, however much is asked.
    static constexpr size_t piece_bytes = 1024;
    auto* to = static_cast<uint8_t*>(output);
    while (bytes != 0) {
        const size_t piece = bytes < piece_bytes ? bytes : piece_bytes;
        SpinGuard guard(lock_);
        if (given_since_key_ >= bytes_between_keys) {
            given_since_key_ = 0;
            words_missing_ = words_per_key;
        }
        take_noise_locked();
        fill_piece_locked(to, piece);
        given_since_key_ += piece;
        to += piece;
        bytes -= piece;
    }
}
