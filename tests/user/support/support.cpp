#include "user/support/support.h"

#include <malloc.h>

extern "C" char __bss_start[], _end[];

int state_of(pid_t pid) {
    static ForkloreProcInfo list[256];
    const int count = proc_list(list, 256);
    for (int i = 0; i < count && i < 256; ++i) {
        if (list[i].pid == pid) {
            return list[i].state;
        }
    }
    return 0;
}

bool wait_for_state(pid_t pid, int state) {
    for (int i = 0; i < 10'000; ++i) {
        if (state_of(pid) == state) {
            return true;
        }
        usleep(1'000);
    }
    return false;
}

const char* program_path = "";

int Role::play(const char* name) {
    for (const Role* role = first_; role != nullptr; role = role->next_) {
        if (strcmp(role->name_, name) == 0) {
            return role->run_();
        }
    }
    return 127;
}

int become(const char* role) {
    return execl(program_path, program_path, "role", role, nullptr);
}

[[gnu::noinline]] void warm_up() {
    for (volatile char* at = __bss_start; at < _end; at = at + 4096) {
        *at = *at;
    }
    volatile char stack[256 * 1024];
    for (size_t i = 0; i < sizeof stack; i += 4096) {
        stack[i] = 0;
    }
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    constexpr size_t heap = 1 << 20;
    auto* block = static_cast<volatile char*>(malloc(heap));
    for (size_t i = 0; block != nullptr && i < heap; i += 4096) {
        block[i] = 0;
    }
    free(const_cast<char*>(block));
    dup2(STDERR_FILENO, FORKLORE_OPEN_MAX - 1);
    close(FORKLORE_OPEN_MAX - 1);
}
