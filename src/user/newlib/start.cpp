// From the stack that the kernel made to main(), and from main() to exit().
#include <fcntl.h>
#include <reent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "user/newlib/start.h"

extern "C" {
using Function = void (*)();
extern Function __preinit_array_start[], __preinit_array_end[];
extern Function __init_array_start[], __init_array_end[];
extern Function __fini_array_start[], __fini_array_end[];

int main(int argc, char** argv, char** envp);
void* __dso_handle = nullptr;

static void run_fini_array() {
    for (Function* f = __fini_array_end; f != __fini_array_start;) {
        (*--f)();
    }
}

// [0] argc, argv, a null, envp, a null, pairs of the auxiliary vector.
[[noreturn]] void forklore_start(uint64_t* stack) {
    const int argc = static_cast<int>(stack[0]);
    char** argv = reinterpret_cast<char**>(stack + 1);
    char** envp = argv + argc + 1;
    environ = envp;
    while (*envp != nullptr) {
        ++envp;
    }
    forklore_auxiliary_vector = reinterpret_cast<const AuxiliaryEntry*>(envp + 1);

    for (Function* f = __preinit_array_start; f != __preinit_array_end; ++f) {
        (*f)();
    }
    for (Function* f = __init_array_start; f != __init_array_end; ++f) {
        (*f)();
    }
    if (&__fini_array_start[0] != &__fini_array_end[0]) {
        atexit(run_fini_array);
    }
    exit(main(argc, argv, environ));
}
}

const AuxiliaryEntry* forklore_auxiliary_vector;

// newlib has functions of these names too, for systems without. Naming ours here makes the linker take these object
// files before it looks at newlib; --gc-sections drops the table, and what nobody else names.
extern "C" void __malloc_lock(struct _reent*);
[[gnu::used]] static const void* const taken_from_here[] = {
    (void*)&read, (void*)&execve, (void*)&fork, (void*)&signal, (void*)&isatty,
    (void*)&sbrk, (void*)&gettimeofday, (void*)&strsignal, (void*)&__malloc_lock};

extern "C" unsigned long getauxval(unsigned long type) {
    for (const AuxiliaryEntry* entry = forklore_auxiliary_vector; entry != nullptr && entry->type != 0; ++entry) {
        if (entry->type == type) {
            return entry->value;
        }
    }
    return 0;
}
