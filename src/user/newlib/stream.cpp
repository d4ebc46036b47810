// What newlib's <stdio.h> declares and leaves to the system: streams to other processes, and a lock.
#include <errno.h>
#include <fcntl.h>
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

class Holding {
public:
    explicit Holding(RecursiveLock& lock) : lock_(lock) { lock_.lock(); }
    ~Holding() { lock_.unlock(); }

private:
    RecursiveLock& lock_;
};

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
    const char* const arguments[] = {"sh", "-c", command, nullptr};
    if (error == 0) {
        error = posix_spawn(pid, "/bin/sh", &actions, nullptr, const_cast<char* const*>(arguments), environ);
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
        Holding holding(children_lock);
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
        Holding holding(children_lock);
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
    pid_t waited;
    do {
        waited = waitpid(pid, &status, 0);
    } while (waited == -1 && errno == EINTR);
    return waited == -1 ? -1 : status;
}

void flockfile(FILE*) { streams_lock.lock(); }
int ftrylockfile(FILE*) { return streams_lock.try_lock() ? 0 : -1; }
void funlockfile(FILE*) { streams_lock.unlock(); }

}  // extern "C"
