// A value that threads read and write with no order among them: an access is never torn, and that is all. It is copied as the
// plain value would be, so that a struct of such members can be assigned whole.
#pragma once

#include <atomic>

template <typename T>
class Relaxed {
public:
    Relaxed(T value = T{}) : value_(value) {}
    Relaxed(const Relaxed& other) : value_(other.get()) {}
    Relaxed& operator=(const Relaxed& other) { return *this = other.get(); }
    Relaxed& operator=(T value) {
        value_.store(value, std::memory_order_relaxed);
        return *this;
    }
    operator T() const { return get(); }
    // For a value with one writer at a time: the read and the write are two steps.
    void add(T more) { *this = static_cast<T>(get() + more); }
    T get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<T> value_;
};
