// Walks and changes the tables under TTBR1_EL1 (ARM ARM D8.3).
#include "machine/rpi3/kernel_map.h"

#include <atomic>

#include "base/bits.h"
#include "base/failpoint.h"
#include "base/panic.h"
#include "machine/ram.h"
#include "machine/rpi3/layout.h"

namespace kernel_map {
namespace {

using Word = std::atomic<uint64_t>;     // the walkers of all cores read entries while we write them
using Valid = BitField<uint64_t, 0>;
using TableOrPage = BitField<uint64_t, 1>;
using Inner = BitField<uint64_t, 8, 9>;             // shareability 3; AttrIndx 0 is normal memory
using Accessed = BitField<uint64_t, 10>;
using Frame = BitField<uint64_t, 12, 47>;
using NeverExecute = BitField<uint64_t, 53, 54>;    // by the kernel, by programs

constexpr unsigned index_bits = 9;

Word& entry_in(PhysAddr table, KernAddr at, unsigned level) {
    const unsigned shift = page_shift + index_bits * (3 - level);
    return ram::at<Word>(table)[(at.value >> shift) & ((1u << index_bits) - 1)];
}

PhysAddr root() {
    uint64_t ttbr1;
    asm("mrs %0, ttbr1_el1" : "=r"(ttbr1));
    return PhysAddr(ttbr1 & Frame::mask);
}

// The entry of `at` in the lowest table, which is made if there is none.
Result<Word*> leaf_entry(KernAddr at, NewTable new_table) {
    PhysAddr table = root();
    for (unsigned level = 1; level < 3; ++level) {
        Word& entry = entry_in(table, at, level);
        uint64_t word = entry.load(std::memory_order_relaxed);
        if (Valid::get(word) == 0) {
            word = TRY(new_table()).value | TableOrPage::mask | Valid::mask;
            // Release: the table is seen as cleared by whoever sees the entry.
            entry.store(word, std::memory_order_release);
        } else {
            ASSERT(TableOrPage::get(word) != 0);
        }
        table = PhysAddr(word & Frame::mask);
    }
    return &entry_in(table, at, 3);
}

uint64_t page_entry(PhysAddr page) {
    return page.value | NeverExecute::mask | Accessed::mask | Inner::of(3) | TableOrPage::mask | Valid::mask;
}

// SAN=1: what is mapped has its shadow, which stays for the next page there.
Result<> map_shadow_of(KernAddr at, NewTable new_table) {
    Word& entry = *TRY(leaf_entry(KernAddr(layout::shadow_of(at.value)), new_table));
    if (Valid::get(entry.load(std::memory_order_relaxed)) == 0) {
        entry.store(page_entry(TRY(new_table())), std::memory_order_release);
    }
    return {};
}

// New entries become visible to all walkers before anybody uses them.
void entries_written() { asm volatile("dsb ishst\n\tisb" ::: "memory"); }

}  // namespace

Result<> map_page(KernAddr at, PhysAddr page, NewTable new_table) {
    if (failpoint::should_fail()) return Error::NoMemory;
    if constexpr (layout::sanitized) {
        TRY(map_shadow_of(at, new_table));
    }
    Word& entry = *TRY(leaf_entry(at, new_table));
    ASSERT(Valid::get(entry.load(std::memory_order_relaxed)) == 0);
    entry.store(page_entry(page), std::memory_order_relaxed);
    entries_written();
    return {};
}

PhysAddr unmap_page(KernAddr at) {
    PhysAddr table = root();
    for (unsigned level = 1; level < 3; ++level) {
        const uint64_t word = entry_in(table, at, level).load(std::memory_order_relaxed);
        ASSERT(Valid::get(word) != 0 && TableOrPage::get(word) != 0);
        table = PhysAddr(word & Frame::mask);
    }
    const uint64_t word = entry_in(table, at, 3).exchange(0, std::memory_order_relaxed);
    ASSERT(Valid::get(word) != 0);
    // Kernel pages are global: for all asids (ARM ARM D8.13.5).
    const uint64_t operand = (at.value >> page_shift) & 0xfff'ffff'ffff;
    asm volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(operand) : "memory");
    return PhysAddr(word & Frame::mask);
}

}  // namespace kernel_map
