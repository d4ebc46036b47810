// The kernel half's page tables: built before the MMU is on, fitted to the machine's RAM once that is known.
#pragma once

#include "base/types.h"
#include "machine/rpi3/layout.h"

// Values for the registers, in the order in which head.S loads them.
struct MmuSettings {
    uint64_t identity_root, kernel_root;    // TTBR0_EL1 for the switch-on, TTBR1_EL1
    uint64_t mair, tcr, sctlr;
    uint64_t empty_root;                    // TTBR0_EL1 from then on
};
extern "C" MmuSettings mmu_settings;

// Called by head.S at the physical load address with the MMU off: position independent, no exclusives, no unaligned
// access, no table of pointers. `device_tree` is what the loader passed; its pages are mapped if it is one.
extern "C" void build_early_map(uint64_t device_tree);

// Whether build_early_map would look there for a device tree, and map it.
constexpr bool may_be_device_tree(uint64_t address) {
    return address % 8 == 0 && address >= page_size && address < layout::devices_start - (4ull << 20);
}

// Where the linear map ends at first: at layout::default_ram_end, or behind the image if a loader put it further up.
PhysAddr first_linear_map_end();
// Makes it end at `end` instead (2-MiB aligned, below the devices). Core 0 alone.
void fit_linear_map(PhysAddr end);
// SAN=1: the shadow of RAM from 0 on (layout.h) is `bytes` at `shadow` from here on, 2-MiB aligned. Core 0 alone.
void map_ram_shadow(PhysAddr shadow, uint64_t bytes);

// Where the image was loaded, and the physical address of something in it.
PhysAddr image_load_address();
PhysAddr image_phys_of(const void* in_image);
