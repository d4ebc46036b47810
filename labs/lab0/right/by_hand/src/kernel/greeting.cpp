// Letter by letter, after the whole length has been counted.
#include "kernel/greeting.h"

Result<size_t> greet(std::string_view name, char* to, size_t capacity) {
    if (name.size() == 0) {
        return Error::Invalid;
    }
    const char* const hello = "Hello, ";
    size_t need = name.size();
    for (const char* c = hello; *c != '\0'; ++c) {
        ++need;
    }
    need += 2;      // the exclamation mark and the zero
    if (need > capacity) {
        return Error::NameTooLong;
    }
    char* at = to;
    for (const char* c = hello; *c != '\0'; ++c) {
        *at++ = *c;
    }
    for (char c : name) {
        *at++ = c;
    }
    *at++ = '!';
    *at = '\0';
    return static_cast<size_t>(at - to);
}
