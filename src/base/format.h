// Text without printf: format_to(sink, "fork of {} took {} pages at {}", pid, n, address).
//
// {} prints integers in decimal, addresses in hexadecimal, strings, bool, char; {x} an integer in
// hexadecimal; {N} (a number) pads to N columns on the left, {-N} on the right. Types are checked by
// overloading; a missing argument prints as "{?}", a surplus one is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/types.h"

// One argument, erased to what formatting needs.
struct FormatArgument {
    enum class Kind { Signed, Unsigned, Hex, Text, Char, Bool } kind;
    uint64_t number = 0;
    std::string_view text{};

    FormatArgument(bool v) : kind(Kind::Bool), number(v) {}
    FormatArgument(char v) : kind(Kind::Char), number(static_cast<unsigned char>(v)) {}
    FormatArgument(const char* v) : kind(Kind::Text), text(v != nullptr ? v : "(null)") {}
    FormatArgument(std::string_view v) : kind(Kind::Text), text(v) {}
    FormatArgument(const void* v) : kind(Kind::Hex), number(reinterpret_cast<uint64_t>(v)) {}
    FormatArgument(PhysAddr v) : kind(Kind::Hex), number(v.value) {}
    FormatArgument(KernAddr v) : kind(Kind::Hex), number(v.value) {}
    FormatArgument(UserAddr v) : kind(Kind::Hex), number(v.value) {}
    FormatArgument(PageCount v) : kind(Kind::Unsigned), number(v.value) {}
    template <typename T>
        requires std::is_integral_v<T> || std::is_enum_v<T>
    FormatArgument(T v) : kind(std::is_signed_v<Plain<T>> ? Kind::Signed : Kind::Unsigned), number(static_cast<uint64_t>(v)) {}

private:
    template <typename T, bool = std::is_enum_v<T>>
    struct PlainOf { using type = T; };
    template <typename T>
    struct PlainOf<T, true> { using type = std::underlying_type_t<T>; };
    template <typename T>
    using Plain = typename PlainOf<T>::type;
};

// Where text goes: a function and its context.
struct TextSink {
    void (*put)(void* context, std::string_view text);
    void* context;
};

void vformat(TextSink sink, std::string_view format, const FormatArgument* arguments, size_t count);

template <typename... Arguments>
void format_to(TextSink sink, std::string_view format, const Arguments&... arguments) {
    const FormatArgument list[sizeof...(arguments) + 1] = {FormatArgument(arguments)..., FormatArgument(0)};
    vformat(sink, format, list, sizeof...(arguments));
}

// Formats into a fixed buffer, cut to its size; the text stays NUL-terminated.
template <size_t Capacity>
class TextBuffer {
public:
    template <typename... Arguments>
    TextBuffer& add(std::string_view format, const Arguments&... arguments) {
        format_to(sink(), format, arguments...);
        return *this;
    }
    TextSink sink() { return {&TextBuffer::append, this}; }
    std::string_view text() const { return {buffer_, length_}; }
    const char* c_str() const { return buffer_; }

private:
    static void append(void* context, std::string_view text) {
        auto& self = *static_cast<TextBuffer*>(context);
        for (char c : text) {
            if (self.length_ + 1 < Capacity) {
                self.buffer_[self.length_++] = c;
            }
        }
        self.buffer_[self.length_] = '\0';
    }
    char buffer_[Capacity] = {};
    size_t length_ = 0;
};
