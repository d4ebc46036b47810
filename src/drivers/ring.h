// A queue of fixed size in place: bytes between an interrupt and everybody else. Its user has the lock.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

template <typename T, size_t Capacity>
class Ring {
    static_assert(std::has_single_bit(Capacity));

public:
    size_t size() const { return put_ - taken_; }       // correct across the wrap: the counts are unsigned
    size_t room() const { return Capacity - size(); }
    bool empty() const { return put_ == taken_; }
    bool full() const { return size() == Capacity; }

    // False if it is full.
    bool push(T element) {
        if (full()) {
            return false;
        }
        elements_[put_++ % Capacity] = element;
        return true;
    }
    // False if it is empty.
    bool pop(T& element) {
        if (empty()) {
            return false;
        }
        element = elements_[taken_++ % Capacity];
        return true;
    }

private:
    T elements_[Capacity] = {};
    size_t put_ = 0;
    size_t taken_ = 0;
};
