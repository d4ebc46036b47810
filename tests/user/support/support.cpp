#include "user/support/support.h"

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
