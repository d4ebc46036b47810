// posix_spawn: attributes and file actions are gathered in the kernel's own structures, which one system call takes.
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/newlib/search_path.h"
#include "user/newlib/system_call.h"

struct __posix_spawnattr {
    ForkloreSpawn wanted;       // without the actions
};

struct __posix_spawn_file_actions {
    size_t count, capacity;
    ForkloreSpawnAction* actions;
};

namespace {

static_assert(POSIX_SPAWN_RESETIDS == FL_SPAWN_RESETIDS && POSIX_SPAWN_SETPGROUP == FL_SPAWN_SETPGROUP &&
              POSIX_SPAWN_SETSIGDEF == FL_SPAWN_SETSIGDEF && POSIX_SPAWN_SETSIGMASK == FL_SPAWN_SETSIGMASK &&
              POSIX_SPAWN_SETSID == FL_SPAWN_SETSID && POSIX_SPAWN_NEWCOALITION_NP == FL_SPAWN_NEWCOALITION &&
              POSIX_SPAWN_SETPERSONA_NP == FL_SPAWN_SETPERSONA);

constexpr short known_flags = POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                              POSIX_SPAWN_SETSID | POSIX_SPAWN_NEWCOALITION_NP | POSIX_SPAWN_SETPERSONA_NP;

// The first of `paths`, which ends with a null, that can be executed. An error number, or 0.
int spawn(pid_t* pid, const char* const paths[], const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
          char* const argv[], char* const envp[]) {
    ForkloreSpawn wanted = {};
    if (attributes != nullptr) {
        wanted = (*attributes)->wanted;
    }
    if (actions != nullptr) {
        wanted.actions = reinterpret_cast<uint64_t>((*actions)->actions);
        wanted.action_count = (*actions)->count;
    }
    const long result = system_call(SYS_posix_spawn, paths, &wanted, argv, envp);
    if (is_error(result)) {
        return static_cast<int>(-result);
    }
    if (pid != nullptr) {
        *pid = static_cast<pid_t>(result);
    }
    return 0;
}

// Grows the array by one; ENOMEM.
int add(posix_spawn_file_actions_t* list, const ForkloreSpawnAction& action) {
    __posix_spawn_file_actions& actions = **list;
    if (actions.count == actions.capacity) {
        const size_t capacity = actions.capacity == 0 ? 8 : 2 * actions.capacity;
        void* larger = realloc(actions.actions, capacity * sizeof action);
        if (larger == nullptr) {
            return ENOMEM;
        }
        actions.actions = static_cast<ForkloreSpawnAction*>(larger);
        actions.capacity = capacity;
    }
    actions.actions[actions.count++] = action;
    return 0;
}

// The path is the action's own, and freed with it.
int add_with_path(posix_spawn_file_actions_t* list, ForkloreSpawnAction action, const char* path) {
    char* copy = strdup(path);
    if (copy == nullptr) {
        return ENOMEM;
    }
    action.path = reinterpret_cast<uint64_t>(copy);
    const int error = add(list, action);
    if (error != 0) {
        free(copy);
    }
    return error;
}

bool is_descriptor(int fd) { return fd >= 0 && fd < FORKLORE_OPEN_MAX; }

template <typename T>
int make(T** object) {
    *object = static_cast<T*>(calloc(1, sizeof(T)));
    return *object != nullptr ? 0 : ENOMEM;
}

}  // namespace

extern "C" {

int posix_spawn(pid_t* __restrict pid, const char* __restrict path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* __restrict attributes, char* const argv[], char* const envp[]) {
    const char* const paths[] = {path, nullptr};
    return spawn(pid, paths, actions, attributes, argv, envp);
}

int posix_spawnp(pid_t* __restrict pid, const char* __restrict file, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* __restrict attributes, char* const argv[], char* const envp[]) {
    if (strchr(file, '/') != nullptr) {
        return posix_spawn(pid, file, actions, attributes, argv, envp);
    }
    size_t count = 0, bytes = 0;
    search_path(file, [&](const char* candidate) {
        ++count;
        bytes += strlen(candidate) + 1;
        return false;
    });
    const char* candidates[count + 1];
    char text[bytes + 1];
    char* end = text;
    count = 0;
    search_path(file, [&](const char* candidate) {
        candidates[count++] = end;
        end = stpcpy(end, candidate) + 1;
        return false;
    });
    candidates[count] = nullptr;
    return spawn(pid, candidates, actions, attributes, argv, envp);
}

int posix_spawn_file_actions_init(posix_spawn_file_actions_t* actions) { return make(actions); }
int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t* actions) {
    for (size_t i = 0; i < (*actions)->count; ++i) {
        free(reinterpret_cast<char*>((*actions)->actions[i].path));
    }
    free((*actions)->actions);
    free(*actions);
    return 0;
}
int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t* __restrict actions, int fd,
                                     const char* __restrict path, int flags, mode_t mode) {
    if (!is_descriptor(fd)) {
        return EBADF;
    }
    ForkloreSpawnAction action = {};
    action.kind = FL_SPAWN_OPEN;
    action.fd = fd;
    action.flags = static_cast<uint32_t>(flags);
    action.mode = mode;
    return add_with_path(actions, action, path);
}
int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t* actions, int from, int fd) {
    ForkloreSpawnAction action = {};
    action.kind = FL_SPAWN_DUP2;
    action.fd = fd;
    action.from = from;
    return is_descriptor(from) && is_descriptor(fd) ? add(actions, action) : EBADF;
}
int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t* actions, int fd) {
    ForkloreSpawnAction action = {};
    action.kind = FL_SPAWN_CLOSE;
    action.fd = fd;
    return is_descriptor(fd) ? add(actions, action) : EBADF;
}
int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t* __restrict actions, const char* __restrict path) {
    ForkloreSpawnAction action = {};
    action.kind = FL_SPAWN_CHDIR;
    return add_with_path(actions, action, path);
}
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t* __restrict actions, const char* __restrict path)
    NEWLIB_NAME(posix_spawn_file_actions_addchdir);
int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t* actions, int fd) {
    ForkloreSpawnAction action = {};
    action.kind = FL_SPAWN_FCHDIR;
    action.fd = fd;
    return is_descriptor(fd) ? add(actions, action) : EBADF;
}
int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t* actions, int fd)
    NEWLIB_NAME(posix_spawn_file_actions_addfchdir);

int posix_spawnattr_init(posix_spawnattr_t* attributes) { return make(attributes); }
int posix_spawnattr_destroy(posix_spawnattr_t* attributes) {
    free(*attributes);
    return 0;
}
int posix_spawnattr_setflags(posix_spawnattr_t* attributes, short flags) {
    if ((flags & ~known_flags) != 0) {
        return EINVAL;
    }
    (*attributes)->wanted.flags = static_cast<uint32_t>(flags);
    return 0;
}
int posix_spawnattr_getflags(const posix_spawnattr_t* __restrict attributes, short* __restrict flags) {
    *flags = static_cast<short>((*attributes)->wanted.flags);
    return 0;
}
int posix_spawnattr_setpgroup(posix_spawnattr_t* attributes, pid_t group) {
    if (group < 0) {
        return EINVAL;
    }
    (*attributes)->wanted.group = group;
    return 0;
}
int posix_spawnattr_getpgroup(const posix_spawnattr_t* __restrict attributes, pid_t* __restrict group) {
    *group = (*attributes)->wanted.group;
    return 0;
}
int posix_spawnattr_setpersona_np(posix_spawnattr_t* attributes, int number) {
    (*attributes)->wanted.persona_name = 0;
    (*attributes)->wanted.persona = number;
    return 0;
}
int posix_spawnattr_setnewpersona_np(posix_spawnattr_t* attributes, const char* name) {
    (*attributes)->wanted.persona_name = reinterpret_cast<uint64_t>(name);
    return 0;
}
int posix_spawnattr_setsigdefault(posix_spawnattr_t* __restrict attributes, const sigset_t* __restrict set) {
    (*attributes)->wanted.defaults = static_cast<uint32_t>(*set);
    return 0;
}
int posix_spawnattr_getsigdefault(const posix_spawnattr_t* __restrict attributes, sigset_t* __restrict set) {
    *set = (*attributes)->wanted.defaults;
    return 0;
}
int posix_spawnattr_setsigmask(posix_spawnattr_t* __restrict attributes, const sigset_t* __restrict set) {
    (*attributes)->wanted.mask = static_cast<uint32_t>(*set);
    return 0;
}
int posix_spawnattr_getsigmask(const posix_spawnattr_t* __restrict attributes, sigset_t* __restrict set) {
    *set = (*attributes)->wanted.mask;
    return 0;
}

}  // extern "C"
