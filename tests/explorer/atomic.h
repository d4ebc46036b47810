// std::atomic for code under the explorer: each operation is seen by it. Included before everything else (-include).
//
// Only one thread runs at a time, so a plain value does; what is lost is the memory order: all is sequentially consistent
// but for the order that data races are judged by (engine/races.cpp).
#pragma once

#include <atomic>
#include <concepts>

namespace explorer {
void before_atomic(const void* address, size_t size, std::memory_order order);
void after_atomic(const void* address, std::memory_order order, bool read, bool changed);
void fence();
}  // namespace explorer

namespace std {

// The explorer looks at the value itself: no check, and no race, here.
#define EXPLORED __attribute__((no_sanitize_address))

template <typename T>
class explored_atomic {
public:
    constexpr explored_atomic() noexcept : value_() {}
    constexpr explored_atomic(T value) noexcept : value_(value) {}
    explored_atomic(const explored_atomic&) = delete;
    explored_atomic& operator=(const explored_atomic&) = delete;
    static constexpr bool is_always_lock_free = true;

    EXPLORED T load(memory_order order = memory_order_seq_cst) const noexcept {
        explorer::before_atomic(this, sizeof(T), order);
        const T value = value_;
        explorer::after_atomic(this, order, true, false);
        return value;
    }
    EXPLORED void store(T value, memory_order order = memory_order_seq_cst) noexcept {
        explorer::before_atomic(this, sizeof(T), order);
        value_ = value;
        explorer::after_atomic(this, order, false, true);
    }
    EXPLORED T exchange(T value, memory_order order = memory_order_seq_cst) noexcept {
        explorer::before_atomic(this, sizeof(T), order);
        const T before = value_;
        value_ = value;
        explorer::after_atomic(this, order, true, before != value);
        return before;
    }
    EXPLORED bool compare_exchange_strong(T& expected, T wanted, memory_order success, memory_order failure) noexcept {
        explorer::before_atomic(this, sizeof(T), success);
        const T before = value_;
        const bool same = before == expected;
        if (same) {
            value_ = wanted;
        } else {
            expected = before;
        }
        explorer::after_atomic(this, same ? success : failure, true, same);
        return same;
    }
    bool compare_exchange_strong(T& expected, T wanted, memory_order order = memory_order_seq_cst) noexcept {
        const memory_order failure = order == memory_order_acq_rel   ? memory_order_acquire
                                     : order == memory_order_release ? memory_order_relaxed
                                                                     : order;
        return compare_exchange_strong(expected, wanted, order, failure);
    }
    bool compare_exchange_weak(T& expected, T wanted, memory_order success, memory_order failure) noexcept {
        return compare_exchange_strong(expected, wanted, success, failure);
    }
    bool compare_exchange_weak(T& expected, T wanted, memory_order order = memory_order_seq_cst) noexcept {
        return compare_exchange_strong(expected, wanted, order);
    }

    T fetch_add(T n, memory_order order = memory_order_seq_cst) noexcept
        requires integral<T>
    {
        return update(order, [n](T value) { return static_cast<T>(value + n); });
    }
    T fetch_sub(T n, memory_order order = memory_order_seq_cst) noexcept
        requires integral<T>
    {
        return update(order, [n](T value) { return static_cast<T>(value - n); });
    }
    T fetch_or(T n, memory_order order = memory_order_seq_cst) noexcept
        requires integral<T>
    {
        return update(order, [n](T value) { return static_cast<T>(value | n); });
    }
    T fetch_and(T n, memory_order order = memory_order_seq_cst) noexcept
        requires integral<T>
    {
        return update(order, [n](T value) { return static_cast<T>(value & n); });
    }
    T fetch_xor(T n, memory_order order = memory_order_seq_cst) noexcept
        requires integral<T>
    {
        return update(order, [n](T value) { return static_cast<T>(value ^ n); });
    }

    operator T() const noexcept { return load(); }
    T operator=(T value) noexcept {
        store(value);
        return value;
    }
    T operator++() noexcept { return static_cast<T>(fetch_add(1) + 1); }
    T operator--() noexcept { return static_cast<T>(fetch_sub(1) - 1); }
    T operator++(int) noexcept { return fetch_add(1); }
    T operator--(int) noexcept { return fetch_sub(1); }
    T operator+=(T n) noexcept { return static_cast<T>(fetch_add(n) + n); }
    T operator-=(T n) noexcept { return static_cast<T>(fetch_sub(n) - n); }
    T operator|=(T n) noexcept { return static_cast<T>(fetch_or(n) | n); }
    T operator&=(T n) noexcept { return static_cast<T>(fetch_and(n) & n); }

private:
    template <typename Function>
    EXPLORED T update(memory_order order, Function function) noexcept {
        explorer::before_atomic(this, sizeof(T), order);
        const T before = value_;
        value_ = function(before);
        explorer::after_atomic(this, order, true, value_ != before);
        return before;
    }

    T value_;
};

inline void explored_thread_fence(memory_order) noexcept { explorer::fence(); }

}  // namespace std

#define atomic explored_atomic
#define atomic_thread_fence explored_thread_fence
