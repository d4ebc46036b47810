// What the kernel told the program at its start.
#pragma once

#include <stdint.h>

struct AuxiliaryEntry {
    uint64_t type, value;   // type 0 ends the vector
};
extern const AuxiliaryEntry* forklore_auxiliary_vector;
