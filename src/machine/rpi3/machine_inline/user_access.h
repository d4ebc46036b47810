// Bytes to and from the program: the range is checked here, pages by the MMU. user_access.S does the copying.
#pragma once

#include "machine/user_access.h"

extern "C" {
int64_t user_load_bytes(void* to, uint64_t from, size_t bytes);
int64_t user_store_bytes(uint64_t to, const void* from, size_t bytes);
}

namespace user_access {

inline bool in_user_half(UserAddr start, size_t bytes) {
    return start.value <= user_end.value && bytes <= user_end.value - start.value;
}

inline bool copy_in(void* to, UserAddr from, size_t bytes) {
    return in_user_half(from, bytes) && user_load_bytes(to, from.value, bytes) == 0;
}

inline bool copy_out(UserAddr to, const void* from, size_t bytes) {
    return in_user_half(to, bytes) && user_store_bytes(to.value, from, bytes) == 0;
}

}  // namespace user_access
