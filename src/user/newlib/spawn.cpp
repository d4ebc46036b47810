// posix_spawn by vfork and exec: the child works on borrowed memory, so it reports its failure by a variable.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/newlib/system_call.h"

struct __posix_spawnattr {
    short flags;
    pid_t group;
    sigset_t defaults, mask;
};

namespace {
struct FileAction {
    enum { Open, Duplicate, Close } kind;
    int fd, from, flags;
    mode_t mode;
    char* path;
    FileAction* next;
};
}  // namespace

struct __posix_spawn_file_actions {
    FileAction *first, *last;
};

namespace {

// In the child; the first error, or 0.
int prepare(const __posix_spawnattr* attributes, const __posix_spawn_file_actions* actions) {
    if (attributes != nullptr) {
        if ((attributes->flags & POSIX_SPAWN_SETPGROUP) && setpgid(0, attributes->group) == -1) {
            return errno;
        }
        for (int number = 1; (attributes->flags & POSIX_SPAWN_SETSIGDEF) && number < NSIG; ++number) {
            if (sigismember(&attributes->defaults, number)) {
                signal(number, SIG_DFL);
            }
        }
        if (attributes->flags & POSIX_SPAWN_SETSIGMASK) {
            sigprocmask(SIG_SETMASK, &attributes->mask, nullptr);
        }
    }
    for (const FileAction* action = actions != nullptr ? actions->first : nullptr; action != nullptr;
         action = action->next) {
        int fd = action->from;
        if (action->kind == FileAction::Close) {
            close(action->fd);
            continue;
        }
        if (action->kind == FileAction::Open && (fd = open(action->path, action->flags, action->mode)) == -1) {
            return errno;
        }
        if (fd != action->fd) {
            if (dup2(fd, action->fd) == -1) {
                return errno;
            }
            if (action->kind == FileAction::Open) {
                close(fd);
            }
        } else if (action->kind == FileAction::Duplicate) {
            fcntl(fd, F_SETFD, 0);
        }
    }
    return 0;
}

using Exec = int (*)(const char*, char* const[], char* const[]);
extern "C" int execvpe(const char*, char* const[], char* const[]);

[[gnu::noinline]] int spawn(Exec exec, pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                            const posix_spawnattr_t* attributes, char* const argv[], char* const envp[]) {
    volatile int error = 0;
    const pid_t child = vfork();
    if (child == 0) {
        error = prepare(attributes != nullptr ? *attributes : nullptr, actions != nullptr ? *actions : nullptr);
        if (error == 0) {
            exec(path, argv, envp);
            error = errno;
        }
        _exit(127);
    }
    if (child == -1) {
        return errno;
    }
    if (error != 0) {
        system_call(SYS_wait4, child, 0, 0, 0);
    } else if (pid != nullptr) {
        *pid = child;
    }
    return error;
}

int add(posix_spawn_file_actions_t* actions, const FileAction& wanted) {
    auto* action = static_cast<FileAction*>(malloc(sizeof(FileAction)));
    if (action == nullptr) {
        return ENOMEM;
    }
    *action = wanted;
    ((*actions)->last != nullptr ? (*actions)->last->next : (*actions)->first) = action;
    (*actions)->last = action;
    return 0;
}

}  // namespace

extern "C" {

int posix_spawn(pid_t* __restrict pid, const char* __restrict path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* __restrict attributes, char* const argv[], char* const envp[]) {
    return spawn(execve, pid, path, actions, attributes, argv, envp);
}
int posix_spawnp(pid_t* __restrict pid, const char* __restrict file, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* __restrict attributes, char* const argv[], char* const envp[]) {
    return spawn(execvpe, pid, file, actions, attributes, argv, envp);
}

int posix_spawn_file_actions_init(posix_spawn_file_actions_t* actions) {
    *actions = static_cast<__posix_spawn_file_actions*>(calloc(1, sizeof **actions));
    return *actions != nullptr ? 0 : ENOMEM;
}
int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t* actions) {
    for (FileAction* action = (*actions)->first; action != nullptr;) {
        FileAction* next = action->next;
        free(action->path);
        free(action);
        action = next;
    }
    free(*actions);
    return 0;
}
int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t* __restrict actions, int fd,
                                     const char* __restrict path, int flags, mode_t mode) {
    char* copy = strdup(path);
    return copy != nullptr ? add(actions, {FileAction::Open, fd, -1, flags, mode, copy, nullptr}) : ENOMEM;
}
int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t* actions, int from, int fd) {
    return add(actions, {FileAction::Duplicate, fd, from, 0, 0, nullptr, nullptr});
}
int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t* actions, int fd) {
    return add(actions, {FileAction::Close, fd, -1, 0, 0, nullptr, nullptr});
}

int posix_spawnattr_init(posix_spawnattr_t* attributes) {
    *attributes = static_cast<__posix_spawnattr*>(calloc(1, sizeof **attributes));
    return *attributes != nullptr ? 0 : ENOMEM;
}
int posix_spawnattr_destroy(posix_spawnattr_t* attributes) {
    free(*attributes);
    return 0;
}
int posix_spawnattr_setflags(posix_spawnattr_t* attributes, short flags) {
    (*attributes)->flags = flags;
    return 0;
}
int posix_spawnattr_setpgroup(posix_spawnattr_t* attributes, pid_t group) {
    (*attributes)->group = group;
    return 0;
}
int posix_spawnattr_setsigdefault(posix_spawnattr_t* __restrict attributes, const sigset_t* __restrict set) {
    (*attributes)->defaults = *set;
    return 0;
}
int posix_spawnattr_setsigmask(posix_spawnattr_t* __restrict attributes, const sigset_t* __restrict set) {
    (*attributes)->mask = *set;
    return 0;
}

}  // extern "C"
