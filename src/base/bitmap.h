// A fixed number of bits over words that somebody else owns.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

class Bitmap {
public:
    static constexpr size_t words_for(size_t bits) { return (bits + 63) / 64; }
    static constexpr size_t none = ~size_t{0};

    Bitmap() = default;
    // The words must outlive the bitmap; they are used as they are.
    Bitmap(uint64_t* words, size_t bits) : words_(words), bits_(bits) {}

    size_t size() const { return bits_; }
    bool test(size_t i) const { return (words_[i / 64] >> (i % 64)) & 1; }
    void set(size_t i) { words_[i / 64] |= uint64_t{1} << (i % 64); }
    void clear(size_t i) { words_[i / 64] &= ~(uint64_t{1} << (i % 64)); }

    // The first clear bit in [from, to), or none.
    size_t first_clear(size_t from, size_t to) const {
        while (from < to) {
            uint64_t candidates = ~words_[from / 64] >> (from % 64);
            if (candidates != 0) {
                size_t found = from + static_cast<size_t>(std::countr_zero(candidates));
                return found < to ? found : none;
            }
            from = (from / 64 + 1) * 64;
        }
        return none;
    }

private:
    uint64_t* words_ = nullptr;
    size_t bits_ = 0;
};
