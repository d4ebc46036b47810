// Result<T>: a value or an Error. TRY: the value, or leave the function with the Error.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "base/errors.h"
#include "base/panic.h"

// Either a T or an Error; move-only values are welcome. A Result that is ignored does not compile.
// For a plain T the Result is plain too, and travels in two registers.
template <typename T = void>
class [[nodiscard]] Result {
    static constexpr bool plain = std::is_trivially_copyable_v<T>;

public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(static_cast<long>(error)) {}
    Result(Result&&) requires plain = default;
    Result(Result&& other) : error_(other.error_) {
        if (ok()) {
            new (&value_) T(std::move(other.value_));
        }
    }
    Result& operator=(Result&&) = delete;
    ~Result() requires plain = default;
    ~Result() {
        if (ok()) {
            value_.~T();
        }
    }

    bool ok() const { return error_ == 0; }
    explicit operator bool() const { return ok(); }
    Error error() const { ASSERT(!ok()); return static_cast<Error>(error_); }
    T& value() & { ASSERT(ok()); return value_; }
    T&& value() && { ASSERT(ok()); return std::move(value_); }
    T value_or(T other) && { return ok() ? std::move(value_) : std::move(other); }

private:
    union {
        T value_;       // there while ok(); as a member, so that the compiler can keep it in a register
    };
    long error_ = 0;    // 0: there is a value. A whole register: no padding to be made
};

// References travel as pointers inside.
template <typename T>
class [[nodiscard]] Result<T&> {
public:
    Result(T& value) : pointer_(&value) {}
    Result(Error error) : error_(error) {}
    bool ok() const { return pointer_ != nullptr; }
    explicit operator bool() const { return ok(); }
    Error error() const { ASSERT(!ok()); return error_; }
    T& value() const { ASSERT(ok()); return *pointer_; }

private:
    T* pointer_ = nullptr;
    Error error_{};
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(static_cast<int>(error)) {}
    bool ok() const { return error_ == 0; }
    explicit operator bool() const { return ok(); }
    Error error() const { ASSERT(!ok()); return static_cast<Error>(error_); }
    void value() const { ASSERT(ok()); }

private:
    int error_ = 0;
};

// TRY(expression): the expression's value; on failure the enclosing function returns the Error. A reference can not come
// out of it: such a function returns a pointer.
#define TRY(expression)                                                                                 \
    ({                                                                                                  \
        auto&& try_result_ = (expression);                                                              \
        if (!try_result_.ok()) [[unlikely]] {                                                           \
            return try_result_.error();                                                                 \
        }                                                                                               \
        std::forward<decltype(try_result_)>(try_result_).value();                                       \
    })
