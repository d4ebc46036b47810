// Property messages as words.
#include "drivers/property.h"

#include "base/bits.h"

namespace property {

// The word of a tag that holds the length of the answer and that there is one.
using AnswerLength = BitField<uint32_t, 0, 30>;
using Answered = BitField<uint32_t, 31>;

inline constexpr uint32_t code_request = 0;
inline constexpr uint32_t code_success = 0x8000'0000;

void Message::build(uint32_t tag, const void* value, size_t bytes) {
    ASSERT(bytes % 4 == 0 && bytes <= value_capacity);
    words[0] = static_cast<uint32_t>((header_words + 1) * 4 + bytes);
    words[1] = code_request;
    words[2] = tag;
    words[3] = static_cast<uint32_t>(bytes);
    words[4] = AnswerLength::of(0);
    const auto* from = static_cast<const unsigned char*>(value);
    for (size_t i = 0; i < bytes / 4; ++i) {
        uint32_t word;
        __builtin_memcpy(&word, from + i * 4, 4);
        words[header_words + i] = word;
    }
    words[header_words + bytes / 4] = 0;    // no further tag
}

Result<void> Message::parse(uint32_t tag, void* value, size_t bytes, size_t expected) const {
    ASSERT(bytes % 4 == 0 && bytes <= value_capacity);
    // The firmware clears the success bit for tags that it does not know, too: look at the tag first.
    if (words[1] == code_request || words[2] != tag) {
        return Error::Io;
    }
    const uint32_t length = words[4];
    if (Answered::get(length) == 0 || AnswerLength::get(length) < expected) {
        return Error::NotSupported;
    }
    if (words[1] != code_success) {
        return Error::Io;
    }
    auto* to = static_cast<unsigned char*>(value);
    for (size_t i = 0; i < bytes / 4; ++i) {
        const uint32_t word = words[header_words + i];
        __builtin_memcpy(to + i * 4, &word, 4);
    }
    return {};
}

}  // namespace property
