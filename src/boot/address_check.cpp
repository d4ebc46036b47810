// What the compiler calls at an access that the shadow forbids (-fsanitize=kernel-address): the end, which names the address and
// what lies there. Without SAN=1 nothing refers to it, and the linker leaves it out.
//
// Who freed something is remembered in a table by its address, where a later one may take the place of an earlier one. Calls of zones
// and of what is written in assembly come by here (--wrap, tools/make/kernel.mk). The names are the compiler's
// (libsanitizer's asan_interface_internal.h). This file itself is not instrumented.
#include "boot/address_check.h"

#include <atomic>

#include "base/format.h"
#include "base/panic.h"
#include "boot/backtrace.h"
#include "boot/early_map.h"
#include "machine/rpi3/shadow.h"
#include "mm/page.h"
#include "mm/zone.h"

using shadow::Mark;

// --- who freed what ---

namespace {

constexpr size_t most_callers = 5;
struct Freed {
    std::atomic<bool> busy;
    uint32_t bytes;
    uint64_t start;
    uint64_t callers[most_callers];
};
static_assert(sizeof(Freed) == 56);
constexpr size_t freed_count = 1u << 15;
Freed* freed_table = nullptr;
const Zone** zone_of_page = nullptr;        // of the page's elements, once one was freed
uint64_t page_count = 0;

struct KnownZone {
    const Zone* zone;
    const char* name;
    size_t size;
};
KnownZone known_zones[128];
std::atomic<size_t> known_count{0};

Freed& slot_for(uint64_t start) { return freed_table[(start >> 4) * 0x9e37'79b9'7f4a'7c15 >> 49]; }

uint64_t page_number(uint64_t address) { return (address - layout::linear_map) >> page_shift; }

// Return addresses, from the frame record at `frame` outward, as long as it is the same stack.
void note_callers(uint64_t frame, uint64_t (&callers)[most_callers]) {
    for (uint64_t& caller : callers) {
        caller = 0;
    }
    for (size_t i = 0; i < most_callers && frame != 0; ++i) {
        const auto* record = reinterpret_cast<const uint64_t*>(frame);
        callers[i] = record[1];
        frame = record[0] > frame && record[0] / layout::stack_slot == frame / layout::stack_slot ? record[0] : 0;
    }
}

// The freed range that the address lies in; nullptr: it was forgotten.
const Freed* freed_around(uint64_t address) {
    for (uint64_t start = address & ~15ull; freed_table != nullptr && address - start < page_size; start -= 16) {
        const Freed& slot = slot_for(start);
        if (slot.start == start && address - start < slot.bytes) {
            return &slot;
        }
    }
    return nullptr;
}

const KnownZone* zone_at(uint64_t address) {
    if (page_number(address) >= page_count) {
        return nullptr;
    }
    const Zone* zone = zone_of_page[page_number(address)];
    for (size_t i = known_count.load(); zone != nullptr && i-- > 0;) {      // a later zone may lie where an earlier one did
        if (known_zones[i].zone == zone) {
            return &known_zones[i];
        }
    }
    return nullptr;
}

}  // namespace

void shadow::freed(const void* start, size_t bytes) {
    mark(start, bytes, Mark::Freed);
    const auto address = reinterpret_cast<uint64_t>(start);
    if (freed_table == nullptr || page_number(address) >= page_count) {
        return;
    }
    Freed& slot = slot_for(address);
    if (!slot.busy.exchange(true, std::memory_order_acquire)) {     // else another core writes it: one of the two is forgotten
        slot.start = address;
        slot.bytes = static_cast<uint32_t>(bytes);
        note_callers(reinterpret_cast<uint64_t>(__builtin_frame_address(0)), slot.callers);
        slot.busy.store(false, std::memory_order_release);
    }
    if (bytes == page_size) {
        zone_of_page[page_number(address)] = nullptr;
    }
}

// --- the report ---

namespace {

using Text = TextBuffer<900>;

struct Global {     // the compiler's
    uint64_t start, bytes, bytes_with_zone;
    const char* name;
    const char* file;
    uint64_t has_initializer;
    const void* place;
    uint64_t odr;
};
struct Globals {
    const Global* first;
    size_t count;
};
Globals globals_of_files[512];
size_t file_count = 0;

const Global* global_around(uint64_t address) {
    for (const Globals& file : globals_of_files) {
        for (size_t i = 0; i < file.count; ++i) {
            if (address - file.first[i].start < file.first[i].bytes_with_zone) {
                return &file.first[i];
            }
        }
    }
    return nullptr;
}

void describe_global(Text& text, uint64_t address) {
    if (const Global* global = global_around(address)) {
        text.add("{} bytes behind the end of {} ({} bytes, {})", address - global->start - global->bytes, global->name, global->bytes,
                 global->file);
    } else {
        text.add("between two global objects");
    }
}

void describe_freed(Text& text, uint64_t address) {
    const Freed* freed = freed_around(address);
    const KnownZone* zone = zone_at(address);
    if (zone != nullptr) {
        text.add("a freed element of zone \"{}\", elements of {} bytes", zone->name, zone->size);
    } else {
        text.add("{}", pages::use_of(PhysAddr(address - layout::linear_map)) == PageUse::Zone ? "a free element of a zone" : "a freed page frame");
    }
    if (freed == nullptr) {
        text.add("; who freed it is forgotten");
        return;
    }
    text.add(", byte {} of the {} from {} on, freed by", address - freed->start, freed->bytes, KernAddr(freed->start));
    for (uint64_t caller : freed->callers) {
        if (caller != 0) {
            text.add("\n  < ");
            print_place(text.sink(), caller, true);
        }
    }
}

// The compiler puts three words in front of a function's arrays: a mark, a description, the function.
// The description: "COUNT OFFSET BYTES NAMELENGTH NAME[:LINE] ...".
class StackFrame {
public:
    static constexpr uint64_t magic = 0x41b5'8ab3;
    explicit StackFrame(uint64_t address) {
        const uint64_t slot = address & ~(layout::stack_slot - 1);
        for (uint64_t at = address & ~7ull; at >= slot + layout::stack_slot / 2; at -= 8) {
            if (*reinterpret_cast<const uint64_t*>(at) == magic) {
                base_ = at;
                at_ = reinterpret_cast<const char*const*>(at)[1];
                left_ = number();
                return;
            }
        }
    }
    // The array that the address lies nearest behind.
    void describe(Text& text, uint64_t address) {
        std::string_view nearest;
        uint64_t start = 0, bytes = 0;
        while (left_-- > 0) {
            const uint64_t offset = number(), size = number(), length = number();
            if (base_ + offset <= address || nearest.empty()) {
                nearest = {at_, length};
                start = base_ + offset;
                bytes = size;
            }
            at_ += length + 1;
        }
        if (nearest.empty()) {
            text.add("between the arrays of a function");
        } else if (address < start) {
            text.add("{} bytes in front of \"{}\" ({} bytes, on the stack)", start - address, nearest, bytes);
        } else {
            text.add("{} bytes behind the end of \"{}\" ({} bytes, on the stack)", address - start - bytes, nearest, bytes);
        }
    }

private:
    uint64_t number() {
        uint64_t value = 0;
        for (; *at_ >= '0' && *at_ <= '9'; ++at_) {
            value = value * 10 + static_cast<uint64_t>(*at_ - '0');
        }
        ++at_;      // the blank
        return value;
    }
    uint64_t base_ = 0, left_ = 0;
    const char* at_ = nullptr;
};

Mark mark_of(uint64_t address) {
    // The last granule of an object says how much of it is good; what comes behind says why the rest is not.
    return static_cast<Mark>(shadow::of(address) < 8 ? shadow::of(address + 8) : shadow::of(address));
}

[[noreturn]] void report(uint64_t bad, uint64_t address, size_t bytes, bool write) {
    Text text;
    text.add("bad address: {} of {} bytes at {}", write ? "write" : "read", bytes, KernAddr(address));
    text.add(bad == address ? ": " : ", of which {} is bad: ", KernAddr(bad));
    switch (mark_of(bad)) {
    case Mark::Freed: describe_freed(text, bad); break;
    case Mark::Global: describe_global(text, bad); break;
    case Mark::StackLeft: case Mark::StackMiddle: case Mark::StackRight: StackFrame(bad).describe(text, bad); break;
    case Mark::NeverUsed: text.add("a free page frame that nobody has had since the start"); break;
    default: text.add("marked {x}", static_cast<unsigned>(mark_of(bad))); break;
    }
    panic(text.c_str());
}

[[gnu::always_inline]] inline void check(const void* start, size_t bytes, bool write) {
    const auto address = reinterpret_cast<uint64_t>(start);
    if (const uint64_t bad = shadow::first_bad(address, bytes)) {
        report(bad, address, bytes, write);
    }
}

// The usual access: its first and last byte tell all about what lies in two granules.
template <size_t Bytes>
[[gnu::always_inline]] inline void check_few(const void* start, bool write) {
    const auto address = reinterpret_cast<uint64_t>(start);
    if (Bytes <= 8 && address >= layout::linear_map && (shadow::of(address) | shadow::of(address + Bytes - 1)) == 0) [[likely]] {
        return;
    }
    check(start, Bytes, write);
}

}  // namespace

// --- the start ---

namespace address_check {

static uint64_t shadow_bytes(PhysAddr ram_end) { return (ram_end.value / 8 + block - 1) & ~(block - 1); }

uint64_t bytes_for(PhysAddr ram_end) {
    return shadow_bytes(ram_end) + freed_count * sizeof(Freed) + (ram_end.value >> page_shift) * sizeof(Zone*);
}

void start(PhysAddr place, PhysAddr ram_end) {
    const uint64_t bytes = bytes_for(ram_end) + page_size - 1;
    for (PhysAddr at = place; at < place + bytes / page_size * page_size; at = at + page_size) {
        ram::clear_page(ram::at<void>(at));
    }
    map_ram_shadow(place, shadow_bytes(ram_end));
    freed_table = ram::at<Freed>(place + shadow_bytes(ram_end));
    zone_of_page = reinterpret_cast<const Zone**>(freed_table + freed_count);
    page_count = ram_end.value >> page_shift;
    shadow::ram_has_shadow(ram_end.value);
}

void forbid_free_frames(ram::Extent ram) {
    for (PhysAddr page = ram.start; page < ram.end; page = page + page_size) {
        if (pages::use_of(page) == PageUse::Free) {
            shadow::mark(ram::at<void>(page), page_size, Mark::NeverUsed);
        }
    }
}

}  // namespace address_check

// --- the compiler's doors ---

#define ACCESS(bytes)                                                              \
    void __asan_load##bytes##_noabort(const void* at) { check_few<bytes>(at, false); }  \
    void __asan_store##bytes##_noabort(const void* at) { check_few<bytes>(at, true); }

extern "C" {

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __asan_loadN_noabort(const void* at, size_t bytes) { check(at, bytes, false); }
void __asan_storeN_noabort(const void* at, size_t bytes) { check(at, bytes, true); }

void __asan_register_globals(const Global* globals, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        const uint64_t whole = globals[i].bytes & ~7ull;
        const auto* start = reinterpret_cast<const char*>(globals[i].start);
        shadow::mark(start + whole, globals[i].bytes_with_zone - whole, Mark::Global);
        if (globals[i].bytes != whole) {
            shadow::mark(start + whole, globals[i].bytes - whole, Mark::Good);
        }
    }
    if (file_count < sizeof globals_of_files / sizeof *globals_of_files) {
        globals_of_files[file_count++] = {globals, count};
    }
}
void __asan_unregister_globals(const Global*, size_t) {}
// Around a file's constructors, whose order we know.
void __asan_before_dynamic_init(const char*) {}
void __asan_after_dynamic_init() {}

// Frames that are left for ever without being left properly: none of them counts any more.
void __asan_handle_no_return() {
    const uint64_t slot = reinterpret_cast<uint64_t>(__builtin_frame_address(0)) & ~(layout::stack_slot - 1);
    shadow::mark(reinterpret_cast<void*>(slot), layout::stack_slot, Mark::Good);
}

// --- what is not compiled from C++, and so is not instrumented ---

void* __real_memcpy(void*, const void*, size_t);
void* __real_memmove(void*, const void*, size_t);
void* __real_memset(void*, int, size_t);
int __real_memcmp(const void*, const void*, size_t);
int64_t __real_user_load_bytes(void*, uint64_t, size_t);
int64_t __real_user_store_bytes(uint64_t, const void*, size_t);
void __real__ZN3ram9copy_pageEPvPKv(void*, const void*);
void __real__ZN3ram10clear_pageEPv(void*);

void* __wrap_memcpy(void* to, const void* from, size_t bytes) {
    check(to, bytes, true);
    check(from, bytes, false);
    return __real_memcpy(to, from, bytes);
}
void* __wrap_memmove(void* to, const void* from, size_t bytes) {
    check(to, bytes, true);
    check(from, bytes, false);
    return __real_memmove(to, from, bytes);
}
void* __wrap_memset(void* to, int value, size_t bytes) {
    check(to, bytes, true);
    return __real_memset(to, value, bytes);
}
int __wrap_memcmp(const void* a, const void* b, size_t bytes) {
    check(a, bytes, false);
    check(b, bytes, false);
    return __real_memcmp(a, b, bytes);
}
int64_t __wrap_user_load_bytes(void* to, uint64_t from, size_t bytes) {
    check(to, bytes, true);
    return __real_user_load_bytes(to, from, bytes);
}
int64_t __wrap_user_store_bytes(uint64_t to, const void* from, size_t bytes) {
    check(from, bytes, false);
    return __real_user_store_bytes(to, from, bytes);
}
void __wrap__ZN3ram9copy_pageEPvPKv(void* to, const void* from) {
    check(to, page_size, true);
    check(from, page_size, false);
    __real__ZN3ram9copy_pageEPvPKv(to, from);
}
void __wrap__ZN3ram10clear_pageEPv(void* page) {
    check(page, page_size, true);
    __real__ZN3ram10clear_pageEPv(page);
}

// --- zones: whose elements lie in which page ---

void __real__Z5zfreeR4ZonePv(Zone&, void*);
// The last call is a jump, so that the zone sees who called.
void __wrap__Z5zfreeR4ZonePv(Zone& zone, void* element) {
    const uint64_t page = page_number(reinterpret_cast<uint64_t>(element));
    if (page < page_count) {
        zone_of_page[page] = &zone;
    }
    __real__Z5zfreeR4ZonePv(zone, element);
}

}  // extern "C"

extern Result<Zone&> real_zone_create(const ZoneOptions& options) asm("__real__Z11zone_createRK11ZoneOptions");
Result<Zone&> wrapped_zone_create(const ZoneOptions& options) asm("__wrap__Z11zone_createRK11ZoneOptions");
Result<Zone&> wrapped_zone_create(const ZoneOptions& options) {
    Result<Zone&> made = real_zone_create(options);
    if (made.ok()) {
        const size_t at = known_count.load();
        if (at < sizeof known_zones / sizeof *known_zones) {
            known_zones[at] = {&made.value(), options.name, options.element_size};
            known_count.store(at + 1);
        }
    }
    return made;
}
