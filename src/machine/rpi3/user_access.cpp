// Bytes to and from the program: the range is checked here, pages by the MMU. user_access.S does the copying.
#include "machine/user_access.h"

extern "C" {
int64_t user_load_bytes(void* to, uint64_t from, size_t bytes);
int64_t user_store_bytes(uint64_t to, const void* from, size_t bytes);
int64_t user_load_string(char* to, uint64_t from, size_t capacity);
int64_t user_load_word(uint32_t* to, uint64_t from);
extern const char user_access_begin[], user_access_end[];
void user_access_failed();
}

namespace user_access {

namespace {

bool in_user_half(UserAddr start, size_t bytes) {
    return start.value <= user_end.value && bytes <= user_end.value - start.value;
}

}  // namespace

bool copy_in(void* to, UserAddr from, size_t bytes) {
    return in_user_half(from, bytes) && user_load_bytes(to, from.value, bytes) == 0;
}

bool copy_out(UserAddr to, const void* from, size_t bytes) {
    return in_user_half(to, bytes) && user_store_bytes(to.value, from, bytes) == 0;
}

int64_t copy_in_string(char* to, UserAddr from, size_t capacity) {
    if (from >= user_end) {
        return -1;
    }
    const size_t room = user_end - from;
    const int64_t length = user_load_string(to, from.value, capacity < room ? capacity : room);
    return length == -2 && capacity > room ? -1 : length;
}

bool load_word(UserAddr from, uint32_t& value) {
    return from.value % sizeof(value) == 0 && in_user_half(from, sizeof(value)) &&
           user_load_word(&value, from.value) == 0;
}

bool fixup(uint64_t& pc) {
    if (pc < reinterpret_cast<uint64_t>(user_access_begin) || pc >= reinterpret_cast<uint64_t>(user_access_end)) {
        return false;
    }
    pc = reinterpret_cast<uint64_t>(&user_access_failed);
    return true;
}

}  // namespace user_access
