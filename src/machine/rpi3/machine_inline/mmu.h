// User tables of a core, and forgetting what was cached of them (ARM ARM D8.13, D8.14).
#pragma once

#include "base/types.h"
#include "machine/mmu.h"

// An empty table, physical: the user half when there is none. Set before the MMU is on.
extern "C" uint64_t empty_user_root;

namespace mmu {

// TTBR0_EL1 carries the asid in its upper 16 bits: root and asid change in one step (ARM ARM D17.2.144).
inline void set_user_root(uint64_t ttbr0) { asm volatile("msr ttbr0_el1, %0\n\tisb" ::"r"(ttbr0) : "memory"); }

inline void activate(PhysAddr root, Asid asid) { set_user_root(root.value | uint64_t{asid} << 48); }
inline void activate_none() { set_user_root(empty_user_root); }

// Operand of TLBI by address: the page number of 44 bits, the asid above.
inline void invalidate_page(UserAddr address, Asid asid) {
    const uint64_t operand = uint64_t{asid} << 48 | ((address.value >> page_shift) & 0xfff'ffff'ffff);
    asm volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(operand) : "memory");
}

inline void invalidate_space(Asid asid) {
    asm volatile("dsb ishst\n\ttlbi aside1is, %0\n\tdsb ish\n\tisb" ::"r"(uint64_t{asid} << 48) : "memory");
}

inline void invalidate_all() { asm volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory"); }

inline void entries_written() { asm volatile("dsb ishst\n\tisb" ::: "memory"); }

inline unsigned asid_bits() { return 16; }

// The kernel half's top table, of which each entry is 1 GiB from 0xffffff80'00000000; the same on all cores.
inline PhysAddr kernel_root() {
    uint64_t root;
    asm("mrs %0, ttbr1_el1" : "=r"(root));
    return PhysAddr(root & 0x0000'ffff'ffff'f000);
}

}  // namespace mmu
