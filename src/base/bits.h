// Named fields of registers, descriptors and other packed words. Shifts and masks live here and nowhere else.
#pragma once

#include <cstdint>

// Bits First..Last (both included) of an unsigned word.
template <typename Word, unsigned First, unsigned Last = First>
struct BitField {
    static_assert(First <= Last && Last < sizeof(Word) * 8);
    static constexpr Word mask = (static_cast<Word>(~Word{0}) >> (sizeof(Word) * 8 - (Last - First + 1))) << First;
    static constexpr Word get(Word word) { return (word & mask) >> First; }
    [[nodiscard]] static constexpr Word set(Word word, Word value) {
        return static_cast<Word>((word & ~mask) | ((value << First) & mask));
    }
    static constexpr Word of(Word value) { return set(0, value); }
};
