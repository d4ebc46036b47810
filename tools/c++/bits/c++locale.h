// The C library's side of std::locale: newlib's one locale needs no object. Only so that headers which
// mention streams compile; there is no library with streams behind them.
#pragma once

#include <clocale>
#include <cstdarg>
#include <cstdio>

#define _GLIBCXX_NUM_CATEGORIES 0

namespace std _GLIBCXX_VISIBILITY(default) {
_GLIBCXX_BEGIN_NAMESPACE_VERSION

using __c_locale = int*;

inline int __convert_from_v(const __c_locale&, char* out, const int size, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(out, static_cast<size_t>(size), format, arguments);
    va_end(arguments);
    return length;
}

_GLIBCXX_END_NAMESPACE_VERSION
}
