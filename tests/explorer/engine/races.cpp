// Every access to memory of instrumented code comes here: it is checked as AddressSanitizer does, and two accesses of
// different threads to one address, one of them a write, that no lock or atomic operation orders, are a race.
//
// The compiler calls __asan_load8(address) and its sisters instead of checking inline (--param
// asan-instrumentation-with-call-threshold=0); these definitions go before libasan's. Built without any sanitizer itself.
//
// The rule is FastTrack's, with two simplifications that hide races but invent none: accesses are compared only if they
// begin at the same address, and block copies are not seen.
#include "engine.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
void __asan_get_shadow_mapping(size_t* scale, size_t* offset);
void* __asan_region_is_poisoned(void* start, size_t size);
void __asan_report_load_n(void* address, size_t size);
void __asan_report_store_n(void* address, size_t size);
void __sanitizer_symbolize_pc(void* pc, const char* format, char* out, size_t size);
}

namespace explorer::races {
namespace {

// What was done to one address in this schedule.
struct Cell {
    uintptr_t address;
    uint32_t schedule;
    uint32_t writer_time;
    uint8_t writer;
    void* write_pc;
    void* read_pc;
    uint32_t reads[max_threads];
};
// The clock that an atomic carries from those who release to those who acquire.
struct Carrier {
    uintptr_t address;
    uint32_t schedule;
    Clock clock;
};

constexpr size_t cell_count = 1 << 15;
constexpr size_t carrier_count = 1 << 13;

struct Tables {
    Cell cells[cell_count];
    Carrier carriers[carrier_count];
    uint32_t schedule;
    size_t cells_used, carriers_used;
    Clock fences;
};

// Made at the start, outside of the memory that is put back for each schedule.
Tables* const all_tables = static_cast<Tables*>(calloc(1, sizeof(Tables)));
Tables& tables() { return *all_tables; }

bool wanted = false;
LogicalThread* watched = nullptr;
uintptr_t shadow_offset = 0;

size_t hash(uintptr_t address) { return (address * 0x9e37'79b9'7f4a'7c15ull) >> 40; }

template <typename Entry, size_t count>
Entry* find(Entry (&entries)[count], size_t& used, uintptr_t address, uint32_t schedule) {
    for (size_t i = hash(address) % count;; i = (i + 1) % count) {
        Entry& entry = entries[i];
        if (entry.schedule != schedule) {
            if (used > count / 2) {
                return nullptr;
            }
            ++used;
            memset(static_cast<void*>(&entry), 0, sizeof entry);
            entry.address = address;
            entry.schedule = schedule;
            return &entry;
        }
        if (entry.address == address) {
            return &entry;
        }
    }
}

[[noreturn]] __attribute__((noinline)) void report(const char* first, unsigned other, void* other_pc, const char* second,
                                                   uintptr_t address, void* pc) {
    LogicalThread& thread = *watched;
    watched = nullptr;
    char there[400], here[400];
    __sanitizer_symbolize_pc(other_pc, "%f %S", there, sizeof there);
    __sanitizer_symbolize_pc(pc, "%f %S", here, sizeof here);
    char text[1200];
    snprintf(text, sizeof text, "data race at %p: thread %c %s in %s;\n    thread %c %s in %s; nothing orders the two",
             reinterpret_cast<void*>(address), other == 0 ? '-' : 'a' + static_cast<int>(other) - 1, first, there, thread.letter(),
             second, here);
    fail_text(text);
}

void access(uintptr_t address, bool write, void* pc) {
    Tables& all = tables();
    Cell* cell = find(all.cells, all.cells_used, address, all.schedule);
    if (cell == nullptr) {
        return;
    }
    LogicalThread& thread = *watched;
    const unsigned me = thread.id;
    if (cell->writer_time > thread.clock.of[cell->writer]) {
        report("wrote", cell->writer, cell->write_pc, write ? "writes" : "reads", address, pc);
    }
    if (!write) {
        cell->reads[me] = thread.clock.of[me];
        cell->read_pc = pc;
        return;
    }
    for (unsigned other = 0; other < max_threads; ++other) {
        if (cell->reads[other] > thread.clock.of[other]) {
            report("read", other, cell->read_pc, "writes", address, pc);
        }
        cell->reads[other] = 0;
    }
    cell->writer = static_cast<uint8_t>(me);
    cell->writer_time = thread.clock.of[me];
    cell->write_pc = pc;
}

}  // namespace

void begin(bool on) {
    wanted = on;
    Tables& all = tables();
    ++all.schedule;
    all.cells_used = all.carriers_used = 0;
    all.fences = Clock{};
}

void track(bool on, LogicalThread* thread) { watched = on && wanted ? thread : nullptr; }

void acquire(const void* address, Clock& clock) {
    Tables& all = tables();
    if (Carrier* carrier = find(all.carriers, all.carriers_used, reinterpret_cast<uintptr_t>(address), all.schedule)) {
        clock.join(carrier->clock);
    } else {
        wanted = false;     // too many for this schedule: without the order there would be false alarms
    }
}

void release(const void* address, Clock& clock) {
    Tables& all = tables();
    if (Carrier* carrier = find(all.carriers, all.carriers_used, reinterpret_cast<uintptr_t>(address), all.schedule)) {
        carrier->clock.join(clock);
    } else {
        wanted = false;
    }
}

void everything(Clock& clock) {
    tables().fences.join(clock);
    clock.join(tables().fences);
}

void check_atomic(const void* address, size_t size) {
    if (__asan_region_is_poisoned(const_cast<void*>(address), size) != nullptr) {
        __asan_report_load_n(const_cast<void*>(address), size);
    }
}

uint64_t accesses_left = 0;

// AddressSanitizer's own check of a small access.
static inline bool poisoned(uintptr_t address, size_t size) {
    if (shadow_offset == 0) {
        size_t scale = 0, offset = 0;
        __asan_get_shadow_mapping(&scale, &offset);
        shadow_offset = offset;
    }
    const auto* shadow = reinterpret_cast<const int8_t*>((address >> 3) + shadow_offset);
    if (size == 16) {
        return shadow[0] != 0 || shadow[1] != 0;
    }
    return *shadow != 0 && static_cast<int8_t>((address & 7) + size - 1) >= *shadow;
}

}  // namespace explorer::races

using namespace explorer::races;

#define ACCESS(name, size, write, report)                                            \
    extern "C" void name(void* pointer) {                                            \
        const auto address = reinterpret_cast<uintptr_t>(pointer);                   \
        if (poisoned(address, size)) [[unlikely]] {                                  \
            report(pointer, size);                                                   \
        }                                                                            \
        if (watched != nullptr) {                                                    \
            if (accesses_left-- == 0) [[unlikely]] {                                 \
                watched = nullptr;                                                   \
                explorer::fail_text("no progress: the threads only compute");        \
            }                                                                        \
            access(address, write, __builtin_return_address(0));                     \
        }                                                                            \
    }
ACCESS(__asan_load1, 1, false, __asan_report_load_n)
ACCESS(__asan_load2, 2, false, __asan_report_load_n)
ACCESS(__asan_load4, 4, false, __asan_report_load_n)
ACCESS(__asan_load8, 8, false, __asan_report_load_n)
ACCESS(__asan_load16, 16, false, __asan_report_load_n)
ACCESS(__asan_store1, 1, true, __asan_report_store_n)
ACCESS(__asan_store2, 2, true, __asan_report_store_n)
ACCESS(__asan_store4, 4, true, __asan_report_store_n)
ACCESS(__asan_store8, 8, true, __asan_report_store_n)
ACCESS(__asan_store16, 16, true, __asan_report_store_n)

// Blocks: checked, not compared.
extern "C" void __asan_loadN(void* pointer, size_t size) {
    if (__asan_region_is_poisoned(pointer, size) != nullptr) {
        __asan_report_load_n(pointer, size);
    }
}
extern "C" void __asan_storeN(void* pointer, size_t size) {
    if (__asan_region_is_poisoned(pointer, size) != nullptr) {
        __asan_report_store_n(pointer, size);
    }
}
