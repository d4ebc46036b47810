// Strings and words from the program, and the way out of a fault. The other copies are inline.
#include "machine/user_access.h"

extern "C" {
int64_t user_load_string(char* to, uint64_t from, size_t capacity);
int64_t user_load_word(uint32_t* to, uint64_t from);
extern const char user_access_begin[], user_access_end[];
void user_access_failed();
}

namespace user_access {

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
