// The strings that exec carries from the old program to the new one, and the stack that the new one starts with.
//
//   stack_top  | strings: argv[0]\0 argv[1]\0 ... envp[0]\0 ...   |
//              | auxiliary vector (pairs, ends with AT_NULL)      |
//              | envp pointers, 0                                 |
//              | argv pointers, 0                                 |
//         sp   | argc                                             |  16-byte aligned (AAPCS64 6.4.5.1; ELF gABI process stack)
#pragma once

#include <string_view>

#include "abi/forklore.h"
#include "mm/address_space.h"
#include "mm/page.h"

// What the new program learns about itself.
struct ProgramImage {
    UserAddr entry;
    UserAddr headers;           // AT_PHDR
    unsigned header_count = 0;
    UserAddr heap;
};

class ArgumentBuffer {
public:
    ArgumentBuffer() = default;
    ArgumentBuffer(const ArgumentBuffer&) = delete;

    // Each appends one string. ArgumentsTooLong beyond FORKLORE_ARG_MAX, BadAddress, NoMemory.
    Result<> add(std::string_view text);
    Result<> add_from_program(UserAddr string);
    // All strings of a null-ended array of pointers; none if the address is null.
    Result<> add_array_from_program(UserAddr array);

    // What was added so far is argv; what follows is the environment.
    void arguments_end() { argument_count_ = string_count_; }

    // Writes the start of the stack into `space`, whose stack region exists. The stack pointer.
    Result<UserAddr> write_stack(AddressSpace& space, const ProgramImage& image) const;

private:
    static constexpr size_t page_limit = FORKLORE_ARG_MAX / page_size;

    Result<char*> room(size_t& bytes);      // where the next byte goes, and how many fit there
    Result<> account(size_t bytes);
    size_t behind_string(size_t offset) const;  // the offset behind the NUL of the string that starts there

    PageRef pages_[page_limit];
    size_t used_ = 0;                       // bytes of strings, with their NULs
    size_t string_count_ = 0;
    size_t argument_count_ = 0;
};
