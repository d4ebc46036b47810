// Numbers that must not be mixed up: addresses of three kinds, ids, counts.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

inline constexpr size_t page_size = 4096;
inline constexpr unsigned page_shift = 12;

// CRTP base of the three address types: arithmetic within one kind only.
template <typename Self>
struct Address {
    uint64_t value = 0;

    constexpr Address() = default;
    constexpr explicit Address(uint64_t v) : value(v) {}
    friend constexpr auto operator<=>(const Address& a, const Address& b) = default;
    friend constexpr Self operator+(Self a, uint64_t bytes) { return Self(a.value + bytes); }
    friend constexpr Self operator-(Self a, uint64_t bytes) { return Self(a.value - bytes); }
    friend constexpr uint64_t operator-(Self a, Self b) { return a.value - b.value; }
    constexpr uint64_t page_offset() const { return value & (page_size - 1); }
    constexpr bool page_aligned() const { return page_offset() == 0; }
    constexpr Self page_down() const { return Self(value & ~(page_size - 1)); }
    constexpr Self page_up() const { return Self((value + page_size - 1) & ~(page_size - 1)); }
};

// What the bus sees. ram::at() makes it a pointer, if it is RAM.
struct PhysAddr : Address<PhysAddr> { using Address::Address; };

// What the kernel dereferences.
struct KernAddr : Address<KernAddr> { using Address::Address; };

// What a program says. It has no dereference: only copy_in and copy_out (mm/user_copy.h) go there.
struct UserAddr : Address<UserAddr> {
    using Address::Address;
    constexpr bool null() const { return value == 0; }
};

// The first address beyond the user half.
inline constexpr UserAddr user_end{1ull << 39};

// A process's number. 0 is the kernel, 1 is init; -1 is none.
enum class Pid : int32_t { Kernel = 0, Init = 1, None = -1 };
constexpr int32_t number(Pid pid) { return static_cast<int32_t>(pid); }

using Uid = uint32_t;
using Gid = uint32_t;
inline constexpr Uid root_uid = 0;

// A number of pages; bytes are never meant by accident.
struct PageCount {
    size_t value = 0;
    constexpr PageCount() = default;
    constexpr explicit PageCount(size_t v) : value(v) {}
    static constexpr PageCount covering(uint64_t bytes) { return PageCount((bytes + page_size - 1) >> page_shift); }
    constexpr uint64_t bytes() const { return static_cast<uint64_t>(value) << page_shift; }
    friend constexpr auto operator<=>(const PageCount&, const PageCount&) = default;
};

// Nanoseconds since power-on (monotonic), or a length of time.
using Nanoseconds = uint64_t;
inline constexpr Nanoseconds nanoseconds_per_second = 1'000'000'000;
inline constexpr Nanoseconds never = ~0ull;
