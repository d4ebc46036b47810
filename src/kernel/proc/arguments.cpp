// Strings of exec: gathered in pages of the kernel, so that a failing exec has touched nothing.
#include "kernel/proc/arguments.h"

#include <cstring>

#include "machine/ram.h"
#include "mm/user_copy.h"

namespace {

enum AuxiliaryType : uint64_t { end = 0, program_headers = 3, header_size = 4, header_count = 5, bytes_of_page = 6, entry = 9 };
constexpr uint64_t program_header_size = 56;

// Writes words to rising addresses of another program's memory, in pieces.
class WordWriter {
public:
    WordWriter(AddressSpace& space, UserAddr at) : space_(space), at_(at) {}
    Result<> put(uint64_t word) {
        words_[count_++] = word;
        return count_ == capacity ? flush() : Result<>{};
    }
    Result<> flush() {
        TRY(space_.store(at_, words_, count_ * sizeof words_[0]));
        at_ = at_ + count_ * sizeof words_[0];
        count_ = 0;
        return {};
    }

private:
    static constexpr size_t capacity = 64;
    AddressSpace& space_;
    UserAddr at_;
    uint64_t words_[capacity];
    size_t count_ = 0;
};

}  // namespace

Result<char*> ArgumentBuffer::room(size_t& bytes) {
    size_t page = used_ / page_size;
    if (page >= page_limit) {
        return Error::ArgumentsTooLong;
    }
    if (!pages_[page]) {
        pages_[page] = TRY(PageRef::allocate(PageUse::Kernel));
    }
    bytes = page_size - used_ % page_size;
    return ram::at<char>(pages_[page].address()) + used_ % page_size;
}

// The last `bytes` bytes of a string were added; its pointer counts too.
Result<> ArgumentBuffer::account(size_t bytes) {
    used_ += bytes;
    ++string_count_;
    if (used_ + string_count_ * sizeof(uint64_t) > FORKLORE_ARG_MAX) {
        return Error::ArgumentsTooLong;
    }
    return {};
}

Result<> ArgumentBuffer::add(std::string_view text) {
    for (;;) {
        size_t fits = 0;
        char* to = TRY(room(fits));
        if (text.size() < fits) {
            memcpy(to, text.data(), text.size());
            to[text.size()] = '\0';
            return account(text.size() + 1);
        }
        memcpy(to, text.data(), fits);
        text.remove_prefix(fits);
        used_ += fits;
    }
}

Result<> ArgumentBuffer::add_from_program(UserAddr string) {
    for (;;) {
        size_t fits = 0;
        char* to = TRY(room(fits));
        Result<size_t> length = copy_in_string(to, string, fits);
        if (length.ok()) {
            return account(length.value() + 1);
        }
        if (length.error() != Error::NameTooLong) {
            return length.error();
        }
        used_ += fits;
        string = string + fits;
    }
}

Result<> ArgumentBuffer::add_array_from_program(UserAddr array) {
    if (array.null()) {
        return {};
    }
    for (;; array = array + sizeof(uint64_t)) {
        UserAddr string(TRY(copy_in_value<uint64_t>(array)));
        if (string.null()) {
            return {};
        }
        TRY(add_from_program(string));
    }
}

size_t ArgumentBuffer::behind_string(size_t offset) const {
    for (;;) {
        const char* start = ram::at<char>(pages_[offset / page_size].address()) + offset % page_size;
        const size_t left = page_size - offset % page_size;
        if (const void* nul = memchr(start, '\0', left)) {
            return offset + static_cast<size_t>(static_cast<const char*>(nul) - start) + 1;
        }
        offset += left;
    }
}

Result<UserAddr> ArgumentBuffer::write_stack(AddressSpace& space, const ProgramImage& image) const {
    UserAddr strings((AddressSpace::stack_top.value - used_) & ~uint64_t{15});
    for (size_t at = 0; at < used_; at += page_size) {
        size_t bytes = used_ - at < page_size ? used_ - at : page_size;
        TRY(space.store(strings + at, ram::at<char>(pages_[at / page_size].address()), bytes));
    }
    const uint64_t auxiliary[] = {
        AuxiliaryType::program_headers, image.headers.value, AuxiliaryType::header_size, program_header_size,
        AuxiliaryType::header_count, image.header_count, AuxiliaryType::bytes_of_page, page_size,
        AuxiliaryType::entry, image.entry.value, AuxiliaryType::end, 0};
    size_t words = 1 + string_count_ + 2 + sizeof auxiliary / sizeof auxiliary[0];
    UserAddr stack_pointer((strings.value - words * sizeof(uint64_t)) & ~uint64_t{15});

    WordWriter writer(space, stack_pointer);
    TRY(writer.put(argument_count_));
    size_t offset = 0;
    for (size_t i = 0; i < string_count_; ++i) {
        if (i == argument_count_) {
            TRY(writer.put(0));
        }
        TRY(writer.put(strings.value + offset));
        offset = behind_string(offset);
    }
    if (argument_count_ == string_count_) {
        TRY(writer.put(0));
    }
    TRY(writer.put(0));
    for (uint64_t word : auxiliary) {
        TRY(writer.put(word));
    }
    TRY(writer.flush());
    return stack_pointer;
}
