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

// The core forgets the locks that it held: whoever catches this has left their scopes.
void panic(const char* message, uint64_t, uint64_t) {
    cpu::current().held.depth = 0;
    throw host::Panic{message};
}
