// IoBuffer: memory that a transfer fills or drains: a program's, or the kernel's own.
#pragma once

#include <cstring>

#include "base/result.h"
#include "base/types.h"
#include "mm/user_copy.h"

// A piece of a program's memory, not yet believed.
struct UserBuffer {
    UserAddr address;
    size_t length = 0;
};

class IoBuffer {
public:
    IoBuffer() = default;
    IoBuffer(UserBuffer buffer) : address_(buffer.address.value), length_(buffer.length) {}
    IoBuffer(void* kernel, size_t length) : address_(reinterpret_cast<uint64_t>(kernel)), length_(length), kernel_(true) {}

    size_t length() const { return length_; }
    bool is_kernel() const { return kernel_; }

    // `bytes` bytes into the buffer, from its byte `at` on, and out of it. May sleep. BadAddress.
    Result<> put(size_t at, const void* from, size_t bytes) const {
        if (kernel_) {
            memcpy(reinterpret_cast<char*>(address_) + at, from, bytes);
            return {};
        }
        return copy_out(UserAddr(address_ + at), from, bytes);
    }
    Result<> take(size_t at, void* to, size_t bytes) const {
        if (kernel_) {
            memcpy(to, reinterpret_cast<const char*>(address_) + at, bytes);
            return {};
        }
        return copy_in(to, UserAddr(address_ + at), bytes);
    }
    // The first `bytes` of it.
    IoBuffer first(size_t bytes) const {
        IoBuffer part = *this;
        part.length_ = bytes < length_ ? bytes : length_;
        return part;
    }

private:
    uint64_t address_ = 0;
    size_t length_ = 0;
    bool kernel_ = false;
};
