// Bytes to and from the program on whose behalf the current thread runs.
//
// The pages may have to be made first, so: interrupts on, no spin lock held, no mutex of LockRank::AddressSpace or
// higher. Any pointer is safe; a bad one is Error::BadAddress, and then some of the bytes may have been copied.
#pragma once

#include <type_traits>

#include "base/result.h"
#include "base/types.h"

Result<> copy_in(void* to, UserAddr from, size_t bytes);
Result<> copy_out(UserAddr to, const void* from, size_t bytes);
// A NUL-terminated string into `to`; its length without the NUL. NameTooLong: no NUL within `capacity` bytes.
Result<size_t> copy_in_string(char* to, UserAddr from, size_t capacity);

template <typename T>
Result<T> copy_in_value(UserAddr from) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    TRY(copy_in(&value, from, sizeof value));
    return value;
}

template <typename T>
Result<> copy_out_value(UserAddr to, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return copy_out(to, &value, sizeof value);
}
