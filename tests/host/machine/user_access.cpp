// The program's memory on the host: through the page tables of the space that a test, or the current task, names.
#include "machine/user_access.h"

#include "host.h"
#include "kernel/task.h"
#include "mm/address_space.h"

namespace host {
thread_local AddressSpace* user_space = nullptr;
}

namespace {

AddressSpace* space() {
    ASSERT(cpu::current().held.none());     // pages may have to be made: no spin lock may be held
    if (host::user_space != nullptr) {
        return host::user_space;
    }
    Task* task = cpu::current_thread()->task;
    return task != nullptr ? task->space.get() : nullptr;
}

}  // namespace

namespace user_access {

bool copy_in(void* to, UserAddr from, size_t bytes) {
    AddressSpace* memory = space();
    return memory != nullptr && memory->load(to, from, bytes).ok();
}

bool copy_out(UserAddr to, const void* from, size_t bytes) {
    AddressSpace* memory = space();
    return memory != nullptr && memory->store(to, from, bytes).ok();
}

int64_t copy_in_string(char* to, UserAddr from, size_t capacity) {
    for (size_t i = 0; i < capacity; ++i) {
        if (!copy_in(to + i, from + i, 1)) {
            return -1;
        }
        if (to[i] == '\0') {
            return static_cast<int64_t>(i);
        }
    }
    return -2;
}

bool load_word(UserAddr from, uint32_t& value) { return from.value % 4 == 0 && copy_in(&value, from, sizeof value); }

bool fixup(uint64_t&) { return false; }

}  // namespace user_access
