// A path that a program gave, in the kernel's memory.
#pragma once

#include <string_view>

#include "abi/forklore.h"
#include "mm/user_copy.h"

class UserPath {
public:
    // BadAddress, NameTooLong.
    Result<> load(uint64_t address) {
        length_ = TRY(copy_in_string(text_, UserAddr(address), sizeof text_));
        return {};
    }
    std::string_view text() const { return {text_, length_}; }

private:
    char text_[FORKLORE_PATH_MAX];
    size_t length_ = 0;
};
