// What the templates of libstdc++'s headers expect of its library, which is built for another C library: std::string's
// functions, the ends of what cannot go on, the links of std::list, the sizes of hash tables, clocks. Trees are in
// cxx_tree.cpp. There are no exceptions: where one would be thrown the program says why and ends by SIGABRT.
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <new>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string>
#include <string.h>
#include <time.h>
#include <unordered_map>

template class std::basic_string<char>;
template class std::basic_string<wchar_t>;

namespace {

[[noreturn]] void give_up(const char* kind, const char* what) {
    fflush(stdout);
    fprintf(stderr, "%s%s%s\n", kind, what[0] != '\0' ? ": " : "", what);
    abort();
}

bool prime(size_t number) {
    for (size_t divisor = 3; divisor <= number / divisor; divisor += 2) {
        if (number % divisor == 0) {
            return false;
        }
    }
    return number % 2 == 1 || number == 2;
}

}  // namespace

namespace std {

void __throw_bad_exception() { give_up("std::bad_exception", ""); }
void __throw_bad_alloc() { give_up("out of memory", ""); }
void __throw_bad_array_new_length() { give_up("std::bad_array_new_length", ""); }
void __throw_bad_cast() { give_up("std::bad_cast", ""); }
void __throw_bad_typeid() { give_up("std::bad_typeid", ""); }
void __throw_bad_function_call() { give_up("std::bad_function_call", ""); }
void __throw_logic_error(const char* what) { give_up("std::logic_error", what); }
void __throw_domain_error(const char* what) { give_up("std::domain_error", what); }
void __throw_invalid_argument(const char* what) { give_up("std::invalid_argument", what); }
void __throw_length_error(const char* what) { give_up("std::length_error", what); }
void __throw_out_of_range(const char* what) { give_up("std::out_of_range", what); }
// The format knows %s and %zu; printf's are a superset.
void __throw_out_of_range_fmt(const char* format, ...) {
    char what[256];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    give_up("std::out_of_range", what);
}
void __throw_runtime_error(const char* what) { give_up("std::runtime_error", what); }
void __throw_range_error(const char* what) { give_up("std::range_error", what); }
void __throw_overflow_error(const char* what) { give_up("std::overflow_error", what); }
void __throw_underflow_error(const char* what) { give_up("std::underflow_error", what); }
void __throw_system_error(int error) { give_up("std::system_error", strerror(error)); }

void __glibcxx_assert_fail(const char* file, int line, const char* function, const char* condition) noexcept {
    fprintf(stderr, "%s:%d: ", file, line);
    give_up(function, condition);
}
[[noreturn]] void terminate() noexcept { give_up("std::terminate", ""); }

const nothrow_t nothrow{};

// Asked by code that was compiled with RTTI; there is none.
bool _Sp_make_shared_tag::_S_eq(const type_info&) noexcept { return false; }

// FNV-1a over the bytes, then mixed, for tables take the remainder of a few low bits.
size_t _Hash_bytes(const void* bytes, size_t length, size_t seed) {
    uint64_t hash = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < length; ++i) {
        hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3u;
    }
    return hash ^ hash >> 32;
}

namespace __detail {

void _List_node_base::_M_hook(_List_node_base* const position) noexcept {
    _M_next = position;
    _M_prev = position->_M_prev;
    position->_M_prev->_M_next = this;
    position->_M_prev = this;
}

void _List_node_base::_M_unhook() noexcept {
    _M_prev->_M_next = _M_next;
    _M_next->_M_prev = _M_prev;
}

// [first, last) of some list, perhaps this one, comes before this node.
void _List_node_base::_M_transfer(_List_node_base* const first, _List_node_base* const last) noexcept {
    if (this == last || first == last) {
        return;
    }
    _List_node_base* const final = last->_M_prev;
    first->_M_prev->_M_next = last;
    last->_M_prev = first->_M_prev;
    first->_M_prev = _M_prev;
    _M_prev->_M_next = first;
    final->_M_next = this;
    _M_prev = final;
}

void _List_node_base::_M_reverse() noexcept {
    _List_node_base* node = this;
    do {
        std::swap(node->_M_next, node->_M_prev);
        node = node->_M_prev;       // what was the next one
    } while (node != this);
}

// Two lists' heads change places; an empty list's head points to itself.
void _List_node_base::swap(_List_node_base& one, _List_node_base& other) noexcept {
    _List_node_base place;
    const auto move = [](_List_node_base& from, _List_node_base& to) {
        if (from._M_next == &from) {
            to._M_next = to._M_prev = &to;
        } else {
            to = from;
            to._M_next->_M_prev = to._M_prev->_M_next = &to;
        }
    };
    move(one, place);
    move(other, one);
    move(place, other);
}

// The number of buckets: the first prime from `least` on. The table grows again when it is as full as allowed.
size_t _Prime_rehash_policy::_M_next_bkt(size_t least) const {
    while (!prime(least)) {
        ++least;
    }
    _M_next_resize = static_cast<size_t>(static_cast<double>(least) * static_cast<double>(_M_max_load_factor));
    return least;
}

pair<bool, size_t> _Prime_rehash_policy::_M_need_rehash(size_t buckets, size_t elements, size_t more) const {
    if (elements + more <= _M_next_resize) {
        return {false, 0};
    }
    constexpr size_t first_size = 11;
    const size_t wanted = _M_next_resize == 0 && elements + more < first_size ? first_size : elements + more;
    const auto least = static_cast<size_t>(static_cast<double>(wanted) / static_cast<double>(_M_max_load_factor)) + 1;
    if (least <= buckets) {
        _M_next_resize = static_cast<size_t>(static_cast<double>(buckets) * static_cast<double>(_M_max_load_factor));
        return {false, 0};
    }
    return {true, _M_next_bkt(least > buckets * 2 ? least : buckets * 2)};
}

}  // namespace __detail

namespace chrono {
inline namespace _V2 {

system_clock::time_point system_clock::now() noexcept {
    timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time_point(seconds(time.tv_sec) + nanoseconds(time.tv_nsec));
}
steady_clock::time_point steady_clock::now() noexcept {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time_point(seconds(time.tv_sec) + nanoseconds(time.tv_nsec));
}

}  // namespace _V2
}  // namespace chrono

}  // namespace std

void* operator new(size_t size, const std::nothrow_t&) noexcept { return malloc(size != 0 ? size : 1); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return malloc(size != 0 ? size : 1); }
void operator delete(void* block, const std::nothrow_t&) noexcept { free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { free(block); }

void* operator new(size_t size, std::align_val_t alignment) {
    void* block = nullptr;
    if (posix_memalign(&block, static_cast<size_t>(alignment), size != 0 ? size : 1) != 0) {
        std::__throw_bad_alloc();
    }
    return block;
}
void* operator new[](size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void operator delete(void* block, std::align_val_t) noexcept { free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { free(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { free(block); }
void operator delete[](void* block, size_t, std::align_val_t) noexcept { free(block); }
