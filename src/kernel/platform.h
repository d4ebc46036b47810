// What the levels above know of the board: boot/main.cpp fills it in before the first program runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.h"

struct Platform {
    char board[32] = "unknown board";
    char boot_arguments[256] = {};
    uint32_t revision = 0;
    uint64_t serial = 0;
    unsigned cores = 1;
};

inline Platform platform;
