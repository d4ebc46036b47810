// The exec family. A vfork child runs these on its parent's memory, so they allocate on the stack only.
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/newlib/search_path.h"
#include "user/newlib/system_call.h"

namespace {

int count_arguments(char* const argv[]) {
    int count = 0;
    while (argv[count] != nullptr) {
        ++count;
    }
    return count;
}

// A script without "#!" is the shell's.
int exec_script(const char* path, char* const argv[], char* const envp[]) {
    const int count = count_arguments(argv);
    const char* arguments[count + 3];
    int used = 0;
    arguments[used++] = "/bin/sh";
    arguments[used++] = path;
    for (int i = 1; i < count; ++i) {
        arguments[used++] = argv[i];
    }
    arguments[used] = nullptr;
    return execve("/bin/sh", const_cast<char* const*>(arguments), envp);
}

int exec_or_script(const char* path, char* const argv[], char* const envp[]) {
    execve(path, argv, envp);
    return errno == ENOEXEC ? exec_script(path, argv, envp) : -1;
}

// Gathers execl's arguments, already started with `first`, into an array on the caller's stack.
int count_list(va_list list) {
    va_list copy;
    va_copy(copy, list);
    int count = 1;
    while (va_arg(copy, const char*) != nullptr) {
        ++count;
    }
    va_end(copy);
    return count;
}
void fill_list(const char** arguments, const char* first, va_list list) {
    *arguments = first;
    while (*arguments != nullptr) {
        *++arguments = va_arg(list, const char*);
    }
}

}  // namespace

extern "C" {

int execve(const char* path, char* const argv[], char* const envp[]) {
    return posix(system_call(SYS_execve, path, argv, envp));
}
int _execve(const char*, char* const[], char* const[]) NEWLIB_NAME(execve);

int execv(const char* path, char* const argv[]) { return execve(path, argv, environ); }

int execvpe(const char* file, char* const argv[], char* const envp[]) {
    if (strchr(file, '/') != nullptr) {
        return exec_or_script(file, argv, envp);
    }
    bool denied = false, failed = false;
    search_path(file, [&](const char* candidate) {
        exec_or_script(candidate, argv, envp);
        denied |= errno == EACCES;
        failed = errno != EACCES && errno != ENOENT && errno != ENOTDIR;
        return failed;
    });
    return failed ? -1 : fail(denied ? EACCES : ENOENT);
}
int execvp(const char* file, char* const argv[]) { return execvpe(file, argv, environ); }

int execl(const char* path, const char* first, ...) {
    va_list list;
    va_start(list, first);
    const char* arguments[count_list(list) + 1];
    fill_list(arguments, first, list);
    va_end(list);
    return execv(path, const_cast<char* const*>(arguments));
}

int execlp(const char* file, const char* first, ...) {
    va_list list;
    va_start(list, first);
    const char* arguments[count_list(list) + 1];
    fill_list(arguments, first, list);
    va_end(list);
    return execvp(file, const_cast<char* const*>(arguments));
}

// The environment follows the null that ends the arguments.
int execle(const char* path, const char* first, ...) {
    va_list list;
    va_start(list, first);
    const char* arguments[count_list(list) + 1];
    fill_list(arguments, first, list);
    char* const* envp = va_arg(list, char* const*);
    va_end(list);
    return execve(path, const_cast<char* const*>(arguments), envp);
}

}  // extern "C"
