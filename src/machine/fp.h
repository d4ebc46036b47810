// The floating-point and SIMD registers of a program. The kernel itself uses none.
#pragma once

#include <cstdint>

struct FpState {
    alignas(16) uint64_t q[64];     // q0..q31, low half first
    uint32_t fpsr, fpcr;
    uint64_t unused;
};
static_assert(sizeof(FpState) == 528);

extern "C" {
void fp_save(FpState* to);          // both want fp_enable() before
void fp_load(const FpState* from);
void fp_enable();                   // this core's registers become usable, by programs too
void fp_disable();                  // every use traps
}
