// Every access to memory and every atomic operation of instrumented code comes here.
//
// The code is compiled as for ThreadSanitizer, which calls a function for each of them; these are those functions, and its own
// library is not linked. AddressSanitizer's library is: an access is checked against its shadow memory, so use after free is
// found as ever, on the heap, in zones and in pages. Then two accesses of different threads to one address, one of them a write,
// that no lock or atomic operation orders, are a race. Built without any sanitizer itself.
//
// The rule is FastTrack's (Flanagan and Freund, PLDI 2009), with a simplification that hides races but invents none: accesses
// are compared only if they begin at the same address.
#include "engine.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../explorer.h"

extern "C" {
void __asan_get_shadow_mapping(size_t* scale, size_t* offset);
void* __asan_region_is_poisoned(void* start, size_t size);
void __asan_report_load_n(void* address, size_t size);
void __asan_report_store_n(void* address, size_t size);
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
Work done;

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

[[noreturn]] __attribute__((noinline)) void report(const char* first, unsigned other, void* other_pc, const char* second, void* pc) {
    LogicalThread& thread = *watched;
    watched = nullptr;
    const std::string there = readable_place(other_pc), here = readable_place(pc);
    const auto who = [](unsigned id) { return id == 0 ? std::string("the check") : std::string("thread ") + static_cast<char>('a' + id - 1); };
    char text[1200];
    snprintf(text, sizeof text, "data race: two accesses to one place in memory, and no lock orders them\n    %s %s it in %s\n    %s %s it in %s",
             who(other).c_str(), first, there.c_str(), who(thread.id).c_str(), second, here.c_str());
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
        report("wrote", cell->writer, cell->write_pc, write ? "writes" : "reads", pc);
    }
    if (!write) {
        cell->reads[me] = thread.clock.of[me];
        cell->read_pc = pc;
        return;
    }
    for (unsigned other = 0; other < max_threads; ++other) {
        if (cell->reads[other] > thread.clock.of[other]) {
            report("read", other, cell->read_pc, "writes", pc);
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
    done = Work{};
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
    ++done.accesses;
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

// A SpinLock exchanges a word; what is made like one tests and sets a byte.
static inline void count_change(size_t size, std::memory_order order, bool exchange) {
    const bool byte = size == 1 && order != std::memory_order_relaxed && order != std::memory_order_release;
    done.locks += byte || (exchange && size == 4 && order == std::memory_order_acquire) ? 1 : 0;
}

}  // namespace explorer::races

explorer::Work explorer::work() { return races::done; }

namespace {

using namespace explorer::races;

inline void small(void* pointer, size_t size, bool write, void* pc) {
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    ++done.accesses;
    if (poisoned(address, size)) [[unlikely]] {
        (write ? __asan_report_store_n : __asan_report_load_n)(pointer, size);
    }
    if (watched != nullptr) {
        if (accesses_left-- == 0) [[unlikely]] {
            watched = nullptr;
            explorer::fail_text("no progress: the threads only compute");
        }
        access(address, write, pc);
    }
}

// A structure as a whole: its words one by one.
void range(void* pointer, size_t size, bool write, void* pc) {
    done.accesses += (size + 7) / 8;
    if (__asan_region_is_poisoned(pointer, size) != nullptr) {
        (write ? __asan_report_store_n : __asan_report_load_n)(pointer, size);
    }
    constexpr size_t step = 4, most = 1024;
    for (size_t i = 0; watched != nullptr && i < size && i < most; i += step) {
        access(reinterpret_cast<uintptr_t>(pointer) + i, write, pc);
    }
}

template <typename T, typename Function>
T update(volatile T* at, int order, bool exchange, Function function) {
    const auto how = static_cast<std::memory_order>(order);
    explorer::before_atomic(const_cast<T*>(at), sizeof(T), how);
    count_change(sizeof(T), how, exchange);
    const T before = *at;
    const T after = function(before);
    *at = after;
    explorer::after_atomic(const_cast<T*>(at), how, true, before != after);
    return before;
}

template <typename T>
bool exchange_if(volatile T* at, T* expected, T wanted, int success, int failure) {
    explorer::before_atomic(const_cast<T*>(at), sizeof(T), static_cast<std::memory_order>(success));
    count_change(sizeof(T), static_cast<std::memory_order>(success), false);
    const T before = *at;
    const bool same = before == *expected;
    if (same) {
        *at = wanted;
    } else {
        *expected = before;
    }
    explorer::after_atomic(const_cast<T*>(at), static_cast<std::memory_order>(same ? success : failure), true, same);
    return same;
}

}  // namespace

extern "C" {

#define ACCESSES(size)                                                                                             \
    void __tsan_read##size(void* p) { small(p, size, false, __builtin_return_address(0)); }                        \
    void __tsan_write##size(void* p) { small(p, size, true, __builtin_return_address(0)); }                        \
    void __tsan_unaligned_read##size(void* p) { range(p, size, false, __builtin_return_address(0)); }              \
    void __tsan_unaligned_write##size(void* p) { range(p, size, true, __builtin_return_address(0)); }
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
void __tsan_read_range(void* p, size_t size) { range(p, size, false, __builtin_return_address(0)); }
void __tsan_write_range(void* p, size_t size) { range(p, size, true, __builtin_return_address(0)); }
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_init() {}

#define ATOMICS(bits)                                                                                              \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t* at, int order) {                      \
        const void* const address = const_cast<const uint##bits##_t*>(at);                                         \
        explorer::before_atomic(address, sizeof *at, static_cast<std::memory_order>(order));                       \
        const uint##bits##_t value = *at;                                                                          \
        explorer::after_atomic(address, static_cast<std::memory_order>(order), true, false);                       \
        return value;                                                                                              \
    }                                                                                                              \
    void __tsan_atomic##bits##_store(volatile uint##bits##_t* at, uint##bits##_t value, int order) {               \
        void* const address = const_cast<uint##bits##_t*>(at);                                                     \
        explorer::before_atomic(address, sizeof *at, static_cast<std::memory_order>(order));                       \
        *at = value;                                                                                               \
        explorer::after_atomic(address, static_cast<std::memory_order>(order), false, true);                       \
    }                                                                                                              \
    UPDATE(bits, exchange, value)                                                                                  \
    UPDATE(bits, fetch_add, before + value)                                                                        \
    UPDATE(bits, fetch_sub, before - value)                                                                        \
    UPDATE(bits, fetch_and, before & value)                                                                        \
    UPDATE(bits, fetch_or, before | value)                                                                         \
    UPDATE(bits, fetch_xor, before ^ value)                                                                        \
    UPDATE(bits, fetch_nand, ~(before & value))                                                                    \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile uint##bits##_t* at, uint##bits##_t* expected,       \
                                                      uint##bits##_t wanted, int success, int failure) {           \
        return exchange_if(at, expected, wanted, success, failure);                                                \
    }                                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile uint##bits##_t* at, uint##bits##_t* expected,         \
                                                    uint##bits##_t wanted, int success, int failure) {             \
        return exchange_if(at, expected, wanted, success, failure);                                                \
    }
#define UPDATE(bits, name, expression)                                                                             \
    uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t* at, uint##bits##_t value, int order) {    \
        return update(at, order, __builtin_strcmp(#name, "exchange") == 0, [value]([[maybe_unused]] uint##bits##_t before) { \
            return static_cast<uint##bits##_t>(expression);                                                        \
        });                                                                                                        \
    }
ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

void __tsan_atomic_thread_fence(int) { explorer::fence(); }
void __tsan_atomic_signal_fence(int) {}

}  // extern "C"
