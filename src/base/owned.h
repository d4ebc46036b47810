// Move-only owners: leaving a function early gives back what was taken, in reverse order.
#pragma once

#include <type_traits>
#include <utility>

// Owns a T* and gives it to `Deleter{}(T&)` at the end, unless released.
template <typename T, typename Deleter>
class [[nodiscard]] Owned {
public:
    Owned() = default;
    explicit Owned(T& object) : object_(&object) {}
    Owned(Owned&& other) : object_(other.release()) {}
    Owned& operator=(Owned&& other) {
        if (this != &other) {
            reset();
            object_ = other.release();
        }
        return *this;
    }
    ~Owned() { reset(); }

    T* get() const { return object_; }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }
    T* release() { return std::exchange(object_, nullptr); }
    void reset() {
        if (T* object = release()) {
            Deleter{}(*object);
        }
    }

private:
    T* object_ = nullptr;
};

// Runs `function` at the end of the scope, unless released.
template <typename Function>
class [[nodiscard]] ScopeGuard {
public:
    explicit ScopeGuard(Function function) : function_(std::move(function)) {}
    ScopeGuard(const ScopeGuard&) = delete;
    ~ScopeGuard() {
        if (armed_) {
            function_();
        }
    }
    void release() { armed_ = false; }

private:
    Function function_;
    bool armed_ = true;
};
