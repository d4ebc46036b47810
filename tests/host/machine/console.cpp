// The host's console is a string; its panic is thrown.
#include "machine/console.h"

#include <mutex>

#include "base/format.h"
#include "base/panic.h"
#include "host.h"

namespace host {
std::string console_text;
}

void console::put(std::string_view text) {
    static std::mutex lock;
    std::lock_guard guard(lock);
    host::console_text += text;
}

// Guards on the way release their locks; must_panic() (unit/panics.h) those of code that is compiled without exceptions.
void panic(const char* message, uint64_t, uint64_t) { throw host::Panic{message}; }
