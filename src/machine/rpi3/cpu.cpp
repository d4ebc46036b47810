// What the core does seldom: interrupting others, making new instructions visible.
#include "machine/cpu.h"

#include "base/bits.h"
#include "machine/rpi3/local_interrupts.h"

namespace cpu {

void interrupt_other(unsigned id) {
    // What the other core is to see is stored before its interrupt arrives (ARM ARM B2.3.11).
    asm volatile("dsb ishst" ::: "memory");
    local_interrupts().mailbox_set[id].mailbox[local::call_mailbox].write(1);
}

void instructions_changed(const void* start, uint64_t bytes) {
    // CTR_EL0 (ARM ARM D17.2.34): the smallest line of all caches, as the logarithm of words, and how the instruction cache
    // is looked up.
    using InstructionLine = BitField<uint64_t, 0, 3>;
    using InstructionPolicy = BitField<uint64_t, 14, 15>;
    using DataLine = BitField<uint64_t, 16, 19>;
    constexpr uint64_t physically_indexed = 3;
    uint64_t ctr;
    asm("mrs %0, ctr_el0" : "=r"(ctr));
    const uint64_t data_line = 4ull << DataLine::get(ctr);
    const uint64_t instruction_line = 4ull << InstructionLine::get(ctr);

    const auto first = reinterpret_cast<uint64_t>(start);
    const uint64_t end = first + bytes;
    for (uint64_t at = first & ~(data_line - 1); at < end; at += data_line) {
        asm volatile("dc cvau, %0" ::"r"(at) : "memory");
    }
    asm volatile("dsb ish" ::: "memory");
    if (InstructionPolicy::get(ctr) == physically_indexed) {
        for (uint64_t at = first & ~(instruction_line - 1); at < end; at += instruction_line) {
            asm volatile("ic ivau, %0" ::"r"(at) : "memory");
        }
    } else {
        // The Cortex-A53's is indexed by virtual address (TRM 6.2, 4.3.30), and the program has the page at another one than
        // `start`: only emptying the whole cache reaches every alias (ARM ARM D7.5.7).
        asm volatile("ic ialluis" ::: "memory");
    }
    asm volatile("dsb ish\n\tisb" ::: "memory");
}

}  // namespace cpu
