// What a check draws its random values from: another number each run, printed, and given back with SEED=N.
#pragma once

#include <cstdint>

extern uint64_t check_seed;

// The next of a row of numbers that the seed begins.
class CheckRandom {
public:
    explicit CheckRandom(uint64_t salt = 0) : state_(check_seed * 0x9e37'79b9'7f4a'7c15 + salt) {}
    uint64_t next() {
        uint64_t x = state_ += 0x9e37'79b9'7f4a'7c15;
        x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
        x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
        return x ^ (x >> 31);
    }
    // One of 0..bound-1.
    uint64_t below(uint64_t bound) { return next() % bound; }

private:
    uint64_t state_;
};
