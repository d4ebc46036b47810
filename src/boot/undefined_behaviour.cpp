// What a kernel built with SAN=1 calls where the language promises nothing (-fsanitize=undefined): the end, which names the
// source line, the kind and the values. Without SAN=1 nothing refers to it, and the linker leaves it out.
//
// The names and what is behind the pointers are the compiler's (libsanitizer's ubsan_handlers.h, ubsan_value.h): each first
// argument begins with the place. This file itself is not instrumented.
#include "base/format.h"
#include "base/panic.h"
#include "base/types.h"

namespace {

struct Place {
    const char* file;
    uint32_t line, column;
};

struct Type {
    static constexpr uint16_t integer = 0;
    uint16_t kind;
    uint16_t info;      // of an integer: bit 0, signed; above it, the logarithm of its bits
    char name[1];       // as in the source, quoted; NUL-terminated
};

// What most of the handlers get: the place, then one or two types.
struct Finding {
    Place place;
    const Type* type;
    const Type* second_type;
};

struct Mismatch {
    Place place;
    const Type* type;
    uint8_t log_alignment, check;
};

using Text = TextBuffer<240>;

Text begin(const Place& place, const char* kind) {
    Text text;
    text.add("undefined behaviour: {}:{}:{}: {}", place.file, place.line, place.column, kind);
    return text;
}

// A value that is wider than a word comes as its address.
void add_value(Text& text, const Type& type, uint64_t value) {
    if (type.kind != Type::integer || (type.info >> 1) > 6) {
        text.add("{}", KernAddr(value));
    } else if ((type.info & 1) != 0) {
        text.add("{}", static_cast<int64_t>(value));
    } else {
        text.add("{}", value);
    }
}

[[noreturn]] void found(const Place& place, const char* kind) { panic(begin(place, kind).c_str()); }

[[noreturn]] void found(const Finding& finding, const char* kind, uint64_t value) {
    Text text = begin(finding.place, kind);
    text.add(" {}: ", finding.type->name);
    add_value(text, *finding.type, value);
    panic(text.c_str());
}

[[noreturn]] void found(const Finding& finding, const char* kind, const Type& second_type, uint64_t first, uint64_t second) {
    Text text = begin(finding.place, kind);
    text.add(" {}: ", finding.type->name);
    add_value(text, *finding.type, first);
    text.add(" and ");
    add_value(text, second_type, second);
    panic(text.c_str());
}

}  // namespace

extern "C" {

#define OF_TWO(name, words)                                                            \
    void __ubsan_handle_##name(const Finding* finding, uint64_t a, uint64_t b) {      \
        found(*finding, words, *finding->type, a, b);                                  \
    }
OF_TWO(add_overflow, "a sum that does not fit in")
OF_TWO(sub_overflow, "a difference that does not fit in")
OF_TWO(mul_overflow, "a product that does not fit in")
OF_TWO(divrem_overflow, "a division by zero, or that does not fit in")
void __ubsan_handle_shift_out_of_bounds(const Finding* finding, uint64_t a, uint64_t b) {
    found(*finding, "a shift that is negative, too far, or loses the sign, of", *finding->second_type, a, b);
}
void __ubsan_handle_pointer_overflow(const Place* place, uint64_t before, uint64_t after) {
    Text text = begin(*place, "a pointer that leaves the address space");
    text.add(": from {} to {}", KernAddr(before), KernAddr(after));
    panic(text.c_str());
}

#define OF_ONE(name, words) \
    void __ubsan_handle_##name(const Finding* finding, uint64_t value) { found(*finding, words, value); }
OF_ONE(negate_overflow, "a negation that does not fit in")
OF_ONE(load_invalid_value, "a value that is none of")
OF_ONE(vla_bound_not_positive, "an array whose length is no positive")
void __ubsan_handle_out_of_bounds(const Finding* finding, uint64_t index) {
    Text text = begin(finding->place, "an index outside of");
    text.add(" {}: ", finding->type->name);
    add_value(text, *finding->second_type, index);
    panic(text.c_str());
}

#define OF_NONE(name, words) \
    void __ubsan_handle_##name(const Place* place) { found(*place, words); }
OF_NONE(builtin_unreachable, "a place that is never reached")
OF_NONE(missing_return, "the end of a function without its result")
OF_NONE(nonnull_arg, "a null argument where none may be")
OF_NONE(invalid_builtin, "a bit count of zero")
void __ubsan_handle_nonnull_return_v1(const void*, const Place* place) { found(*place, "a null result where none may be"); }

void __ubsan_handle_type_mismatch_v1(const Mismatch* mismatch, uint64_t address) {
    const uint64_t alignment = uint64_t{1} << mismatch->log_alignment;
    Text text = begin(mismatch->place, address == 0                       ? "use of a null pointer or reference to"
                                       : (address & (alignment - 1)) != 0 ? "use of an address that is not aligned for"
                                                                          : "use of memory that is too small for");
    text.add(" {}: {}", mismatch->type->name, KernAddr(address));
    panic(text.c_str());
}

}  // extern "C"
