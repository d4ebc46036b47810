// What std::ctype<char> does with each character; libstdc++'s <bits/locale_facets.h> reads this in the
// middle of itself, after the class, so it includes nothing.
namespace std _GLIBCXX_VISIBILITY(default) {
_GLIBCXX_BEGIN_NAMESPACE_VERSION

inline bool ctype<char>::is(mask wanted, char c) const { return _M_table[static_cast<unsigned char>(c)] & wanted; }

inline const char* ctype<char>::is(const char* low, const char* high, mask* vector) const {
    for (; low < high; ++low) *vector++ = _M_table[static_cast<unsigned char>(*low)];
    return high;
}

inline const char* ctype<char>::scan_is(mask wanted, const char* low, const char* high) const {
    while (low < high && !is(wanted, *low)) ++low;
    return low;
}

inline const char* ctype<char>::scan_not(mask wanted, const char* low, const char* high) const {
    while (low < high && is(wanted, *low)) ++low;
    return low;
}

_GLIBCXX_END_NAMESPACE_VERSION
}
