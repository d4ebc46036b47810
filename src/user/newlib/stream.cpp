// Commands run by the shell, streams to them, and a lock for streams: what newlib leaves to the system or does for one child alone.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/newlib/recursive_lock.h"
#include "user/newlib/system_call.h"

extern "C" char** environ;

namespace {

// The children of popen, newest first.
struct Child {
    Child* next;
    FILE* stream;
    pid_t pid;
};
Child* children = nullptr;
RecursiveLock children_lock;

// newlib's FILE has no lock here: one for all streams keeps apart those who ask.
RecursiveLock streams_lock;

pid_t wait_for(pid_t pid, int* status) {
    pid_t waited;
    do {
        waited = waitpid(pid, status, 0);
    } while (waited == -1 && errno == EINTR);
    return waited;
}

int spawn_shell(const char* command, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes, pid_t* pid) {
    const char* const arguments[] = {"sh", "-c", command, nullptr};
    return posix_spawn(pid, "/bin/sh", actions, attributes, const_cast<char* const*>(arguments), environ);
}

// The shell, with `given` as its descriptor `as` and without the streams of earlier calls (POSIX). An error number, or 0.
int start_shell(const char* command, int given, int as, pid_t* pid) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return error;
    }
    error = posix_spawn_file_actions_adddup2(&actions, given, as);
    for (Child* child = children; child != nullptr && error == 0; child = child->next) {
        if (fileno(child->stream) != as) {
            error = posix_spawn_file_actions_addclose(&actions, fileno(child->stream));
        }
    }
    if (error == 0) {
        error = spawn_shell(command, &actions, nullptr, pid);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

}  // namespace

extern "C" {

// `mode`: r or w, and perhaps e for close-on-exec.
FILE* popen(const char* command, const char* mode) {
    const bool reads = mode[0] == 'r';
    const bool closes = mode[0] != '\0' && mode[1] == 'e';
    if ((!reads && mode[0] != 'w') || mode[closes ? 2 : 1] != '\0') {
        errno = EINVAL;
        return nullptr;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == -1) {
        return nullptr;
    }
    const int mine = ends[reads ? 0 : 1], theirs = ends[reads ? 1 : 0];
    Child* child = static_cast<Child*>(malloc(sizeof(Child)));
    FILE* stream = child != nullptr ? fdopen(mine, reads ? "r" : "w") : nullptr;
    int error = stream != nullptr ? 0 : ENOMEM;
    if (stream != nullptr) {
        RecursiveGuard guard(children_lock);
        *child = {children, stream, -1};
        error = start_shell(command, theirs, reads ? STDOUT_FILENO : STDIN_FILENO, &child->pid);
        if (error == 0) {
            children = child;
        }
    }
    close(theirs);
    if (error != 0) {
        stream != nullptr ? (void)fclose(stream) : (void)close(mine);
        free(child);
        errno = error;
        return nullptr;
    }
    if (!closes) {
        fcntl(mine, F_SETFD, 0);
    }
    return stream;
}

// The shell's status as waitpid tells it; -1 with ECHILD for a stream that popen did not make.
int pclose(FILE* stream) {
    pid_t pid = -1;
    {
        RecursiveGuard guard(children_lock);
        for (Child** at = &children; *at != nullptr; at = &(*at)->next) {
            if ((*at)->stream == stream) {
                Child* found = *at;
                *at = found->next;
                pid = found->pid;
                free(found);
                break;
            }
        }
    }
    if (pid == -1) {
        return fail(ECHILD);
    }
    fclose(stream);
    int status;
    return wait_for(pid, &status) == -1 ? -1 : status;
}

// newlib's own waits for any child, and so takes a status that popen's caller wants. The command's status; -1 if it could not be
// started or waited for. While it runs the caller ignores the keyboard's signals and keeps SIGCHLD for later.
int system(const char* command) {
    if (command == nullptr) {
        return access("/bin/sh", X_OK) == 0;
    }
    struct sigaction ignore = {}, interrupt, quit;
    ignore.sa_handler = SIG_IGN;
    sigset_t child, mask, defaults;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigemptyset(&defaults);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    sigprocmask(SIG_BLOCK, &child, &mask);
    if (interrupt.sa_handler != SIG_IGN) {
        sigaddset(&defaults, SIGINT);
    }
    if (quit.sa_handler != SIG_IGN) {
        sigaddset(&defaults, SIGQUIT);
    }
    posix_spawnattr_t attributes;
    int status = -1, error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setsigmask(&attributes, &mask);
        pid_t pid;
        error = spawn_shell(command, nullptr, &attributes, &pid);
        posix_spawnattr_destroy(&attributes);
        if (error == 0 && wait_for(pid, &status) == -1) {
            error = errno;
        }
    }
    sigaction(SIGINT, &interrupt, nullptr);
    sigaction(SIGQUIT, &quit, nullptr);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return status;
}

void flockfile(FILE*) { streams_lock.lock(); }
int ftrylockfile(FILE*) { return streams_lock.try_lock() ? 0 : -1; }
void funlockfile(FILE*) { streams_lock.unlock(); }

}  // extern "C"
