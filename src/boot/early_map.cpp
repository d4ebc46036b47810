// The kernel half's page tables (ARM ARM D8.3): linear map, devices, image, boot stacks; and the identity map of the
// 2 MiB around the first instructions, for the moment in which the MMU comes on.
//
// Until then this code runs where the image was loaded, although it is linked elsewhere: all addresses are relative
// to the program counter (ADRP), which is what the small code model does. Tables are stored word by word: a call of
// memset might clear by cache line.
#include "boot/early_map.h"

#include "machine/console.h"
#include "machine/cpu.h"
#include "machine/mmu.h"
#include "machine/rpi3/console.h"
#include "machine/rpi3/layout.h"
#include "mm/page_table.h"

extern "C" {
extern char image_start[], text_end[], rodata_end[], image_end[], stack_slots[];

constexpr size_t core_stack_bytes = 0x4000, emergency_stack_bytes = 0x2000;
[[gnu::section(".bss.page_aligned")]] alignas(page_size) char boot_stacks[max_cores][core_stack_bytes];
[[gnu::section(".bss.page_aligned")]] alignas(page_size) char emergency_stacks[max_cores][emergency_stack_bytes];

MmuSettings mmu_settings;
uint64_t empty_user_root;
}

static uint64_t linear_map_end;

namespace {

constexpr size_t pool_tables = layout::sanitized ? 32 : 20;
[[gnu::section(".bss.page_aligned")]] alignas(page_size) Descriptor table_pool[pool_tables][table_entries];
constexpr uint64_t block_size = 1ull << level_shift[2];     // what one entry of level 2 maps at once

// TCR_EL1 (ARM ARM D17.2.131): both halves 39 bits, 4-KiB granule, walks inner shareable and cached.
namespace tcr {
using UserSize = BitField<uint64_t, 0, 5>;
using UserInner = BitField<uint64_t, 8, 9>;
using UserOuter = BitField<uint64_t, 10, 11>;
using UserShared = BitField<uint64_t, 12, 13>;
using KernelSize = BitField<uint64_t, 16, 21>;
using KernelInner = BitField<uint64_t, 24, 25>;
using KernelOuter = BitField<uint64_t, 26, 27>;
using KernelShared = BitField<uint64_t, 28, 29>;
using KernelGranule = BitField<uint64_t, 30, 31>;       // 2: 4 KiB
using PhysicalSize = BitField<uint64_t, 32, 34>;
using LongAsid = BitField<uint64_t, 36>;
constexpr uint64_t value(uint64_t physical_size) {
    return UserSize::of(25) | UserInner::of(1) | UserOuter::of(1) | UserShared::of(3) | KernelSize::of(25) |
           KernelInner::of(1) | KernelOuter::of(1) | KernelShared::of(3) | KernelGranule::of(2) |
           PhysicalSize::of(physical_size) | LongAsid::of(1);
}
}  // namespace tcr

// SCTLR_EL1 (ARM ARM D17.2.118).
namespace sctlr {
using Mmu = BitField<uint64_t, 0>;
using DataCache = BitField<uint64_t, 2>;
using StackAlignment = BitField<uint64_t, 3, 4>;        // of EL1 and of EL0
using InstructionCache = BitField<uint64_t, 12>;
using UserCaches = BitField<uint64_t, 14, 15>;          // programs may DC ZVA and read CTR_EL0
using UserWfi = BitField<uint64_t, 16>;
using UserWfe = BitField<uint64_t, 18>;
using WritableNeverExecutable = BitField<uint64_t, 19>;
using UserMaintenance = BitField<uint64_t, 26>;         // programs may DC CVAU, IC IVAU
constexpr uint64_t ones = 0x30d0'0800;                  // reserved, read as one
constexpr uint64_t value = ones | Mmu::mask | DataCache::mask | StackAlignment::mask | InstructionCache::mask |
                           UserCaches::mask | UserWfi::mask | UserWfe::mask | WritableNeverExecutable::mask |
                           UserMaintenance::mask;
}  // namespace sctlr

struct Attributes {
    MemoryKind kind = MemoryKind::Normal;
    bool read_only = false, execute = false;
};

// A block or page of the kernel's own: global, accessed, never for programs.
constexpr Descriptor kernel_entry(uint64_t physical, Attributes attributes, bool page) {
    using D = Descriptor;
    uint64_t word = (physical & D::Frame::mask) | D::Valid::mask | D::Accessed::mask | D::Shareability::of(3) |
                    D::Kind::of(static_cast<uint64_t>(attributes.kind)) | D::UserNoExecute::mask;
    word |= page ? D::Type::mask : 0;
    word |= attributes.read_only ? D::ReadOnly::mask : 0;
    word |= attributes.execute ? 0 : D::KernelNoExecute::mask;
    return {word};
}

Descriptor table_entry(Descriptor* table) { return Descriptor::table(PhysAddr(reinterpret_cast<uint64_t>(table))); }

void store(Descriptor& entry, Descriptor value) { *const_cast<volatile uint64_t*>(&entry.bits) = value.bits; }

[[noreturn]] void stop_early(const char* why) {
    console::start();
    console::put(why);
    for (;;) {
        asm volatile("wfi");
    }
}

// One tree under construction; the pool is shared by all, and its count lives on the stack.
class Builder {
public:
    Descriptor* new_table() {
        if (used_ == pool_tables) {
            stop_early("forklore: the image is too large for its early page tables\n");
        }
        return table_pool[used_++];     // bss: all entries invalid
    }

    // Maps [virt, virt + bytes), page aligned, in blocks where they fit.
    void map(Descriptor* root, uint64_t virt, uint64_t phys, uint64_t bytes, Attributes attributes) {
        while (bytes != 0) {
            Descriptor* middle = next_table(root[index(virt, 1)]);
            uint64_t step = page_size;
            if ((virt | phys) % block_size == 0 && bytes >= block_size) {
                step = block_size;
                store(middle[index(virt, 2)], kernel_entry(phys, attributes, false));
            } else {
                Descriptor* leaf = next_table(middle[index(virt, 2)]);
                store(leaf[index(virt, 3)], kernel_entry(phys, attributes, true));
            }
            virt += step;
            phys += step;
            bytes -= step;
        }
    }

private:
    static size_t index(uint64_t virt, unsigned level) { return (virt >> level_shift[level]) % table_entries; }

    Descriptor* next_table(Descriptor& entry) {
        if (!entry.valid()) {
            store(entry, table_entry(new_table()));
        }
        return reinterpret_cast<Descriptor*>(entry.address().value);
    }

    size_t used_ = 0;
};

uint64_t address_of(const char* symbol) { return reinterpret_cast<uint64_t>(symbol); }

uint64_t whole_blocks(uint64_t address) { return (address + block_size - 1) & ~(block_size - 1); }

// RAM in blocks; around the image in pages, so that text and read-only data can not be written here either.
void map_ram(Builder& builder, Descriptor* root) {
    const uint64_t fixed_start = address_of(image_start), fixed_end = address_of(rodata_end);
    builder.map(root, layout::linear_map, 0, fixed_start, {});
    builder.map(root, layout::linear_map + fixed_start, fixed_start, fixed_end - fixed_start, {.read_only = true});
    builder.map(root, layout::linear_map + fixed_end, fixed_end, linear_map_end - fixed_end, {});
}

void map_image(Builder& builder, Descriptor* root) {
    const uint64_t load = address_of(image_start);
    const uint64_t link = layout::image + LAYOUT_TEXT_OFFSET;
    const uint64_t text = address_of(text_end) - load, rodata = address_of(rodata_end) - load;
    const uint64_t all = address_of(image_end) - load;
    builder.map(root, link, load, text, {.read_only = true, .execute = true});
    builder.map(root, link + text, load + text, rodata - text, {.read_only = true});
    builder.map(root, link + rodata, load + rodata, all - rodata, {});

    const uint64_t slots = address_of(stack_slots) - load + link;
    for (unsigned core = 0; core < max_cores; ++core) {
        const uint64_t end = slots + (core + 1) * layout::stack_slot;
        builder.map(root, end - core_stack_bytes, address_of(boot_stacks[core]), core_stack_bytes, {});
        builder.map(root, end + max_cores * layout::stack_slot - emergency_stack_bytes,
                    address_of(emergency_stacks[core]), emergency_stack_bytes, {});
    }
}

// SAN=1: the shadow of the image is its own; everything else reads as good. That of RAM comes with map_ram_shadow, that of the
// kernel's stacks with them (machine/rpi3/kernel_map.cpp): their entry of level 1 stays empty.
[[gnu::section(".bss.page_aligned")]] alignas(page_size) char image_shadow[layout::sanitized ? layout::image_most / 8 : 1];
[[gnu::section(".bss.page_aligned")]] alignas(page_size) char all_good[layout::sanitized ? page_size : 1];

void fill(Descriptor* table, Descriptor entry) {
    for (size_t i = 0; i < table_entries; ++i) {
        store(table[i], entry);
    }
}

void map_shadow(Builder& builder, Descriptor* root) {
    constexpr uint64_t whole = 1ull << level_shift[1];
    Descriptor* const good_pages = builder.new_table();
    Descriptor* const good_tables = builder.new_table();
    fill(good_pages, kernel_entry(reinterpret_cast<uint64_t>(all_good), {.read_only = true}, true));
    fill(good_tables, table_entry(good_pages));
    for (uint64_t at = layout::shadow; at != layout::shadow_of(~0ull) + 1; at += whole) {
        store(root[(at >> level_shift[1]) % table_entries], table_entry(good_tables));
    }
    const auto own_tables = [&](uint64_t of) {
        Descriptor* const tables = builder.new_table();
        fill(tables, table_entry(good_pages));
        store(root[(layout::shadow_of(of) >> level_shift[1]) % table_entries], table_entry(tables));
        return tables;
    };
    (void)own_tables(layout::linear_map);
    Descriptor* const of_image = own_tables(layout::image);
    store(of_image[(layout::shadow_of(layout::image) >> level_shift[2]) % table_entries], {});
    builder.map(root, layout::shadow_of(layout::image), reinterpret_cast<uint64_t>(image_shadow), sizeof image_shadow, {});
    store(root[(layout::shadow_of(layout::kernel_stacks) >> level_shift[1]) % table_entries], {});
}

uint32_t big_endian(const volatile uint32_t& word) { return __builtin_bswap32(word); }

// A device tree beyond the RAM that is mapped anyway (U-Boot keeps its own at the top): read-only, in whole blocks.
void map_device_tree(Builder& builder, Descriptor* root, uint64_t tree) {
    constexpr uint32_t magic = 0xd00d'feed;
    if (!may_be_device_tree(tree)) {
        return;
    }
    const auto* header = reinterpret_cast<const volatile uint32_t*>(tree);
    if (big_endian(header[0]) != magic || tree + block_size <= linear_map_end) {
        return;
    }
    uint64_t start = tree & ~(block_size - 1);
    if (start < linear_map_end) {
        start = linear_map_end;
    }
    const uint64_t size = big_endian(header[1]);
    const uint64_t end = whole_blocks(tree + (size < block_size ? size : block_size));
    builder.map(root, layout::linear_map + start, start, end - start, {.read_only = true});
}

uint64_t physical_size() {
    using PaRange = BitField<uint64_t, 0, 3>;
    uint64_t features;
    asm("mrs %0, id_aa64mmfr0_el1" : "=r"(features));
    return PaRange::get(features) & 7;
}

}  // namespace

void build_early_map(uint64_t device_tree) {
    Builder builder;
    Descriptor* const empty = builder.new_table();
    Descriptor* const identity = builder.new_table();
    Descriptor* const root = builder.new_table();
    const uint64_t image_end_block = whole_blocks(address_of(image_end));
    linear_map_end = image_end_block > layout::default_ram_end ? image_end_block : layout::default_ram_end;
    const uint64_t first_block = address_of(image_start) & ~(block_size - 1);
    builder.map(identity, first_block, first_block, block_size, {.read_only = true, .execute = true});
    map_ram(builder, root);
    builder.map(root, layout::linear_map + layout::devices_start, layout::devices_start,
                layout::devices_end - layout::devices_start, {.kind = MemoryKind::Device});
    map_image(builder, root);
    map_device_tree(builder, root, device_tree);
    if (layout::sanitized) {
        map_shadow(builder, root);
    }

    empty_user_root = reinterpret_cast<uint64_t>(empty);
    mmu_settings.identity_root = reinterpret_cast<uint64_t>(identity);
    mmu_settings.kernel_root = reinterpret_cast<uint64_t>(root);
    mmu_settings.mair = mair_value;
    mmu_settings.tcr = tcr::value(physical_size());
    mmu_settings.sctlr = sctlr::value;
    mmu_settings.empty_root = empty_user_root;
}

// --- with the MMU on ---

PhysAddr first_linear_map_end() { return PhysAddr(linear_map_end); }

void fit_linear_map(PhysAddr end) {
    auto* root = ram::at<Descriptor>(PhysAddr(mmu_settings.kernel_root));
    auto* middle = ram::at<Descriptor>(root[0].address());      // of the first GiB of the linear map
    const size_t first_beyond = end.value / block_size, devices = layout::devices_start / block_size;
    for (size_t i = linear_map_end / block_size; i < first_beyond && i < devices; ++i) {
        // Perhaps the read-only block of a device tree: away with it first (break-before-make, ARM ARM D8.14.1).
        if (middle[i].valid()) {
            store(middle[i], {});
            mmu::invalidate_all();
        }
        store(middle[i], kernel_entry(i * block_size, {}, false));
    }
    for (size_t i = first_beyond; i < linear_map_end / block_size; ++i) {
        store(middle[i], {});
    }
    mmu::invalidate_all();
}

void map_ram_shadow(PhysAddr shadow, uint64_t bytes) {
    auto* root = ram::at<Descriptor>(PhysAddr(mmu_settings.kernel_root));
    auto* middle = ram::at<Descriptor>(root[(layout::shadow >> level_shift[1]) % table_entries].address());
    for (size_t i = 0; i < bytes / block_size; ++i) {
        store(middle[i], {});
    }
    mmu::invalidate_all();      // break-before-make (ARM ARM D8.14.1); nothing here looks at the shadow
    for (size_t i = 0; i < bytes / block_size; ++i) {
        store(middle[i], kernel_entry(shadow.value + i * block_size, {}, false));
    }
    mmu::entries_written();
}

PhysAddr image_load_address() { return image_phys_of(image_start); }

PhysAddr image_phys_of(const void* in_image) {
    // The tables lie in the image, and their physical address is known.
    const uint64_t distance = reinterpret_cast<uint64_t>(in_image) - reinterpret_cast<uint64_t>(table_pool[0]);
    return PhysAddr(empty_user_root + distance);
}
