// Shared ownership by count. Ref<T> holds one reference; the last one to go calls `T::last_reference_gone()`.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/panic.h"

class RefCounted {
public:
    void ref() const {
        [[maybe_unused]] uint32_t before = references_.fetch_add(1, std::memory_order_relaxed);
        ASSERT(before != 0);
    }
    // True when this was the last reference: the caller destroys the object.
    [[nodiscard]] bool unref() const {
        uint32_t before = references_.fetch_sub(1, std::memory_order_acq_rel);
        ASSERT(before != 0);
        return before == 1;
    }
    // One more reference, unless the last is gone already and the object only waits for its lock to leave a list.
    [[nodiscard]] bool ref_unless_gone() const {
        uint32_t seen = references_.load(std::memory_order_relaxed);
        while (seen != 0) {
            if (references_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }
    uint32_t references() const { return references_.load(std::memory_order_relaxed); }

private:
    mutable std::atomic<uint32_t> references_{1};   // a new object belongs to its maker
};

template <typename T>
class [[nodiscard]] Ref {
public:
    Ref() = default;
    // Takes over the reference that the caller holds.
    static Ref adopt(T& object) {
        Ref ref;
        ref.object_ = &object;
        return ref;
    }
    // Takes a further reference.
    static Ref share(T& object) {
        object.ref();
        return adopt(object);
    }
    Ref(const Ref& other) : object_(other.object_) {
        if (object_ != nullptr) {
            object_->ref();
        }
    }
    Ref(Ref&& other) : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() { reset(); }

    T* get() const { return object_; }
    T& operator*() const { return *object_; }
    T* operator->() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }
    T* release() { return std::exchange(object_, nullptr); }
    void reset() {
        if (T* object = release(); object != nullptr && object->unref()) {
            object->last_reference_gone();
        }
    }

private:
    T* object_ = nullptr;
};
