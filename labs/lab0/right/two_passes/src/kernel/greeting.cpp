// The same function twice over: the first pass writes nothing and counts, the second one writes.
#include "kernel/greeting.h"

#include <algorithm>

namespace {

// Where the text ends that begins at `at`; nothing is written if `at` is a nullptr.
size_t put(std::string_view part, char* to, size_t at) {
    if (to != nullptr) {
        std::copy(part.begin(), part.end(), to + at);
    }
    return at + part.size();
}

size_t put_greeting(std::string_view name, char* to) {
    constexpr std::string_view end("!\0", 2);
    return put(end, to, put(name, to, put("Hello, ", to, 0)));
}

}  // namespace

Result<size_t> greet(std::string_view name, char* to, size_t capacity) {
    if (name.empty()) {
        return Error::Invalid;
    }
    if (put_greeting(name, nullptr) > capacity) {
        return Error::NameTooLong;
    }
    return put_greeting(name, to) - 1;
}
