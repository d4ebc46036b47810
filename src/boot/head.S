// The first instructions: from whatever level the loader left us at to C++ in the upper half.
//
// Runs at the physical address where the image was loaded, MMU and data cache off: nothing here may use an absolute
// address before high_half, nor an exclusive access, which needs cacheable memory (ARM ARM B2.9.1). Core 0 comes in at
// image_header with x0 = device tree (arm64 boot protocol), the others at secondary_entry from the spin table. A firmware
// without its EL3 stub starts all four at image_header: then the others wait in a spin table of ours.
#include "boot/frame_offsets.h"
#include "machine/rpi3/layout.h"

#define MIDR_PART_MASK 0xfff0
#define MIDR_CORTEX_A53 0xd030

.section .head, "ax"

// arm64 Image header (Linux Documentation/arm64/booting.rst, "Call the kernel image").
.globl image_header
image_header:
    b       primary_entry
    .long   0
    .quad   LAYOUT_TEXT_OFFSET
    .quad   image_size              // a symbol of kernel.ld
    .quad   0xa                     // little-endian, 4-KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

.type primary_entry, %function
primary_entry:
    mrs     x1, mpidr_el1
    and     x1, x1, #3
    cbnz    x1, wait_to_be_called
    mov     x20, x0                 // device tree, or what the loader had there
    bl      drop_to_el1

    // bss holds the tables and the stack of what follows. Lines that the loader may have left dirty must not be
    // written back over it later, so they go first (ARM ARM B2.8, D7.5.9: by address, to the point of coherency).
    adrp    x0, bss_start
    adrp    x1, bss_end
    bl      forget_cached
    adrp    x0, bss_start
    adrp    x1, bss_end
1:  stp     xzr, xzr, [x0], #16     // plain stores: DC ZVA faults on memory without caches
    cmp     x0, x1
    b.lo    1b

    adrp    x0, boot_stacks
    add     x0, x0, #0x4000
    mov     sp, x0
    mov     x29, xzr
    mov     x0, x20
    bl      build_early_map         // boot/early_map.cpp
    // And again: what was fetched meanwhile by speculation is older than what was stored past the caches.
    adrp    x0, bss_start
    adrp    x1, bss_end
    bl      forget_cached
    mov     x19, xzr
    b       enable_mmu

// x1: core, not 0. drivers/spin_table.cpp writes the slot and cleans it to memory, which is what is read here.
wait_to_be_called:
    adrp    x2, own_spin_table
    add     x2, x2, :lo12:own_spin_table
1:  wfe
    ldr     x3, [x2, x1, lsl #3]
    cbz     x3, 1b
    br      x3

.globl secondary_entry
.type secondary_entry, %function
secondary_entry:
    bl      drop_to_el1
    mrs     x19, mpidr_el1
    and     x19, x19, #3
    // fall through

// x19: core, x20: kept for the kernel. Turns the MMU and the caches on; goes on in the upper half.
.type enable_mmu, %function
enable_mmu:
    adrp    x0, mmu_settings        // MmuSettings of boot/early_map.cpp
    add     x0, x0, :lo12:mmu_settings
    ldp     x1, x2, [x0]
    ldp     x3, x4, [x0, #16]
    ldp     x5, x6, [x0, #32]
    msr     mair_el1, x3
    msr     tcr_el1, x4
    msr     ttbr0_el1, x1
    msr     ttbr1_el1, x2
    isb
    dsb     nshst                   // after all stores, those to the tables among them (ARM ARM D8.14)
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    msr     sctlr_el1, x5
    isb
    ldr     x7, =high_half
    br      x7

.ltorg

// Makes this core forget what its caches hold of [x0, x1), without writing it back. x0 moves.
.type forget_cached, %function
forget_cached:
    mrs     x2, ctr_el0
    ubfx    x2, x2, #16, #4         // DminLine: log2 of the words of the smallest line (ARM ARM D17.2.34)
    mov     x3, #4
    lsl     x2, x3, x2
    dmb     sy                      // the stores past the caches before their maintenance
1:  dc      ivac, x0
    add     x0, x0, x2
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    ret

// From EL3 or EL2 to EL1, stack pointer SP_EL1, all exceptions masked, MMU off. Returns at EL1. Uses x0-x3, x30.
.type drop_to_el1, %function
drop_to_el1:
    mrs     x0, currentel
    ubfx    x0, x0, #2, #2
    cmp     x0, #2
    b.lo    at_el1
    b.eq    at_el2

    // EL3: nobody was here before us; do what the firmware's stub would have done.
    mrs     x0, midr_el1
    mov     x1, #MIDR_PART_MASK
    and     x0, x0, x1
    mov     x1, #MIDR_CORTEX_A53
    cmp     x0, x1
    b.ne    1f
    mrs     x0, s3_1_c11_c0_2       // L2CTLR_EL1 (Cortex-A53 TRM): the latency that this chip's L2 needs; caches are off
    mov     x1, #0x22
    orr     x0, x0, x1
    msr     s3_1_c11_c0_2, x0
    mrs     x0, s3_1_c15_c2_0       // CPUACTLR_EL1.ENDCCASCI: a clean invalidates too, and no eviction overtakes it
    orr     x0, x0, #1 << 44        // (erratum 855873, which r0p4 has)
    msr     s3_1_c15_c2_0, x0
    mrs     x0, s3_1_c15_c2_1       // CPUECTLR_EL1.SMPEN: coherent with the other cores (Cortex-A53 TRM 4.3.67)
    orr     x0, x0, #1 << 6
    msr     s3_1_c15_c2_1, x0
    isb
1:  mrs     x0, cntfrq_el0          // only EL3 may write it
    cbnz    x0, 2f
    ldr     x0, =19200000           // the crystal; one tick a period (QA7 rev3.4, 3.1.1)
    msr     cntfrq_el0, x0
    mov     x1, #0x40000000
    str     wzr, [x1, #0x00]
    mov     w2, #0x80000000
    str     w2, [x1, #0x08]
2:  msr     cptr_el3, xzr
    ldr     x0, =0x30c50830         // SCTLR_EL2 comes out of reset unknown: bits that are one; MMU and caches off
    msr     sctlr_el2, x0
    mov     x0, #0x5b1              // SCR_EL3 (ARM ARM D17.2.117): RW, HCE, SMD, NS, two bits that are one
    msr     scr_el3, x0
    mov     x0, #0x3c9              // EL2h, everything masked
    msr     spsr_el3, x0
    adr     x0, at_el2
    msr     elr_el3, x0
    eret

at_el2:
    mov     x0, #1 << 31            // HCR_EL2: EL1 is AArch64, nothing is trapped or routed here
    msr     hcr_el2, x0
    mov     x0, #3                  // CNTHCTL_EL2: EL1 uses the physical counter and timer
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr        // the virtual counter is the physical one
    mov     x0, #0x33ff             // CPTR_EL2: bits that are one; floating point is not trapped
    msr     cptr_el2, x0
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0
    mrs     x0, pmcr_el0            // MDCR_EL2.HPMN: all performance counters are EL1's
    ubfx    x0, x0, #11, #5
    msr     mdcr_el2, x0
    ldr     x0, =0x30d00800         // SCTLR_EL1: bits that are one; MMU and caches off, little-endian
    msr     sctlr_el1, x0
    mov     x0, #0x3c5              // EL1h, everything masked
    msr     spsr_el2, x0
    msr     elr_el2, x30
    eret

at_el1:
    msr     daifset, #15
    msr     spsel, #1
    ldr     x0, =0x30d00800
    msr     sctlr_el1, x0
    isb
    ret

.ltorg

.text

// In the upper half. The identity map has done its work.
.type high_half, %function
high_half:
    msr     ttbr0_el1, x6
    isb
    dsb     nshst
    tlbi    vmalle1
    dsb     nsh
    isb
    adrp    x0, exception_vectors
    add     x0, x0, :lo12:exception_vectors
    msr     vbar_el1, x0
    msr     tpidr_el1, xzr          // no thread yet
    msr     cpacr_el1, xzr          // floating point traps
    msr     mdscr_el1, xzr
    msr     pmuserenr_el0, xzr
    mov     x0, #3                  // CNTKCTL_EL1: programs may read the counters
    msr     cntkctl_el1, x0
    isb
    adrp    x0, stack_slots
    add     x1, x19, #1
    add     x0, x0, x1, lsl #STACK_SLOT_SHIFT
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x19
    mov     x1, x20
    bl      enter_kernel            // boot/main.cpp: (core, device tree)
    brk     #0
.size high_half, . - high_half

// In the file and not in bss, which core 0 clears while the others may look already. Lines of its own.
.data
.balign 64
.globl own_spin_table
own_spin_table:
    .quad   0, 0, 0, 0
.balign 64

.section .note.GNU-stack, "", %progbits
