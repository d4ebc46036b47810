// What the tables that the MMU walks allow: read by the walker's own eyes, and asked of the MMU itself.
#include "CppUTest/TestHarness.h"

#include "base/bits.h"
#include "kernel/sched.h"
#include "machine/ram.h"
#include "machine/rpi3/layout.h"
#include "mm/page_table.h"

extern "C" const char image_start[], text_end[], rodata_end[], image_end[], stack_slots[];

namespace {

uint64_t number(const void* address) { return reinterpret_cast<uint64_t>(address); }

// Whether the MMU would let the kernel do it (ARM ARM C5.5: AT S1E1R, S1E1W; PAR_EL1.F says no, D17.2.105).
bool may_read(uint64_t address) {
    InterruptGuard same_core;
    uint64_t answer;
    asm volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(answer) : "r"(address) : "memory");
    return (answer & 1) == 0;
}
bool may_write(uint64_t address) {
    InterruptGuard same_core;
    uint64_t answer;
    asm volatile("at s1e1w, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(answer) : "r"(address) : "memory");
    return (answer & 1) == 0;
}
bool program_may_read(uint64_t address) {
    InterruptGuard same_core;
    uint64_t answer;
    asm volatile("at s1e0r, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(answer) : "r"(address) : "memory");
    return (answer & 1) == 0;
}

// Calls use(address, bytes, descriptor) for every block and page of the kernel's half.
template <typename Use>
void walk(PhysAddr table, unsigned level, uint64_t start, Use& use) {
    for (size_t i = 0; i < table_entries; ++i) {
        const Descriptor entry = ram::at<Descriptor>(table)[i];
        const uint64_t at = start + (uint64_t{i} << level_shift[level]);
        if (!entry.valid()) {
            continue;
        }
        if (level < 3 && Descriptor::Type::get(entry.bits) == 1) {
            walk(entry.address(), level + 1, at, use);
        } else {
            use(at, uint64_t{1} << level_shift[level], entry);
        }
    }
}

template <typename Use>
void walk_kernel(Use use) {
    walk(mmu::kernel_root(), 1, layout::linear_map, use);
}

bool executable(Descriptor entry) { return Descriptor::KernelNoExecute::get(entry.bits) == 0; }
bool writable(Descriptor entry) { return Descriptor::ReadOnly::get(entry.bits) == 0; }

}  // namespace

TEST_GROUP(MemoryProtection) {};

TEST(MemoryProtection, nothing_of_the_kernel_is_both_writable_and_executable) {
    size_t pages = 0, both = 0;
    walk_kernel([&](uint64_t, uint64_t, Descriptor entry) {
        ++pages;
        both += writable(entry) && executable(entry);
    });
    CHECK(pages > 100);
    UNSIGNED_LONGS_EQUAL(0, both);
}

TEST(MemoryProtection, only_the_kernels_text_can_be_executed) {
    size_t inside = 0, outside = 0;
    walk_kernel([&](uint64_t at, uint64_t bytes, Descriptor entry) {
        if (executable(entry)) {
            const bool is_text = at >= number(image_start) && at + bytes <= number(text_end);
            inside += is_text ? bytes : 0;
            outside += !is_text;
        }
    });
    UNSIGNED_LONGS_EQUAL(number(text_end) - number(image_start), inside);
    UNSIGNED_LONGS_EQUAL(0, outside);
}

TEST(MemoryProtection, programs_reach_nothing_of_the_kernel) {
    size_t reached = 0;
    walk_kernel([&](uint64_t, uint64_t, Descriptor entry) {
        reached += entry.user_readable() || entry.user_executable();
    });
    UNSIGNED_LONGS_EQUAL(0, reached);
    CHECK(!program_may_read(number(image_start)));
    CHECK(!program_may_read(number(rodata_end)));
}

TEST(MemoryProtection, text_and_constants_are_read_only_at_both_their_addresses) {
    for (uint64_t at = number(image_start); at < number(rodata_end); at += page_size) {
        CHECK(may_read(at));
        CHECK(!may_write(at));
    }
    CHECK(may_write(number(rodata_end)));
    // The frames of these pages, in the linear map.
    size_t frames = 0, open = 0;
    walk_kernel([&](uint64_t at, uint64_t bytes, Descriptor entry) {
        if (at >= number(image_start) && at + bytes <= number(rodata_end)) {
            ++frames;
            open += may_write(layout::linear_map + entry.address().value);
        }
    });
    UNSIGNED_LONGS_EQUAL((number(rodata_end) - number(image_start)) / page_size, frames);
    UNSIGNED_LONGS_EQUAL(0, open);
}

TEST(MemoryProtection, below_each_stack_is_a_guard) {
    const uint64_t top = cpu::current_thread()->stack.top().value;
    CHECK(may_write(top - kernel_stack_size));
    for (uint64_t at = top - layout::stack_slot; at < top - kernel_stack_size; at += page_size) {
        CHECK(!may_read(at));
    }
    constexpr unsigned boot_and_emergency_stacks = 2 * max_cores;
    for (unsigned slot = 0; slot < boot_and_emergency_stacks; ++slot) {
        const uint64_t start = number(stack_slots) + slot * layout::stack_slot;
        CHECK(!may_read(start));
        CHECK(!may_read(start + layout::stack_slot / 2 - page_size));
        CHECK(may_write(start + layout::stack_slot - page_size));
    }
}

TEST(MemoryProtection, a_pointer_of_zero_leads_nowhere) {
    CHECK(!may_read(0));
    CHECK(!may_read(0xffff'ff7f'ffff'f000));    // below the kernel's half
}

TEST(MemoryProtection, device_registers_are_device_memory) {
    size_t devices = 0, wrong = 0;
    walk_kernel([&](uint64_t at, uint64_t, Descriptor entry) {
        const uint64_t physical = entry.address().value;
        const bool in_devices = physical >= layout::devices_start && physical < layout::devices_end;
        if (at < layout::kernel_stacks && in_devices) {
            ++devices;
        }
        const auto kind = static_cast<MemoryKind>(Descriptor::Kind::get(entry.bits));
        wrong += (kind == MemoryKind::Device) != in_devices || (kind != MemoryKind::Device && kind != MemoryKind::Normal);
    });
    CHECK(devices > 0);
    UNSIGNED_LONGS_EQUAL(0, wrong);
}
