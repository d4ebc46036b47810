// Making a system call, and turning its result into POSIX's -1 and errno.
#pragma once

#include <errno.h>

#include "abi/forklore.h"

// All registers but x0 are kept (x1 is fork's; see abi/forklore.h).
template <typename... Arguments>
inline long system_call(long number, Arguments... arguments) {
    static_assert(sizeof...(Arguments) <= 6);
    const long values[7] = {(long)arguments...};
    register long x0 asm("x0") = values[0];
    register long x1 asm("x1") = values[1];
    register long x2 asm("x2") = values[2];
    register long x3 asm("x3") = values[3];
    register long x4 asm("x4") = values[4];
    register long x5 asm("x5") = values[5];
    register long x8 asm("x8") = number;
    constexpr int count = sizeof...(Arguments);
    if constexpr (count <= 1) {
        asm volatile("svc #0" : "+r"(x0) : "r"(x8) : "x1", "memory");
    } else if constexpr (count == 2) {
        asm volatile("svc #0" : "+r"(x0), "+r"(x1) : "r"(x8) : "memory");
    } else if constexpr (count == 3) {
        asm volatile("svc #0" : "+r"(x0), "+r"(x1) : "r"(x8), "r"(x2) : "memory");
    } else if constexpr (count == 4) {
        asm volatile("svc #0" : "+r"(x0), "+r"(x1) : "r"(x8), "r"(x2), "r"(x3) : "memory");
    } else {
        asm volatile("svc #0" : "+r"(x0), "+r"(x1) : "r"(x8), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    }
    return x0;
}

inline bool is_error(long result) { return static_cast<unsigned long>(result) >= -4095ul; }

// The result of a system call as a POSIX function returns it.
template <typename T = int>
inline T posix(long result) {
    if (is_error(result)) [[unlikely]] {
        errno = static_cast<int>(-result);
        return (T)-1;
    }
    return (T)result;
}

// For what the kernel does not offer.
template <typename T = int>
inline T fail(int error) {
    errno = error;
    return (T)-1;
}

// newlib's own functions call these by names with an underscore; both names are one function.
#define NEWLIB_NAME(name) __attribute__((alias(#name), nothrow))
