// Times as programs have them, and as the kernel counts them.
#pragma once

#include "abi/forklore.h"
#include "base/result.h"
#include "base/types.h"

constexpr ForkloreTime time_of(Nanoseconds t) {
    return {static_cast<int64_t>(t / nanoseconds_per_second), static_cast<int64_t>(t % nanoseconds_per_second)};
}

// Of a valid time.
constexpr Nanoseconds nanoseconds_of(const ForkloreTime& time) {
    return static_cast<Nanoseconds>(time.seconds) * nanoseconds_per_second + static_cast<Nanoseconds>(time.nanoseconds);
}

// Of what a program says; Invalid.
inline Result<Nanoseconds> nanoseconds_asked(const ForkloreTime& time) {
    constexpr int64_t longest_seconds = 1ll << 32;      // longer is for ever: 292 years would overflow
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= static_cast<int64_t>(nanoseconds_per_second)) {
        return Error::Invalid;
    }
    const int64_t seconds = time.seconds < longest_seconds ? time.seconds : longest_seconds;
    return nanoseconds_of({seconds, time.nanoseconds});
}
