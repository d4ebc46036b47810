// The heap's lock: malloc and free take it, and fork holds it. Recursive, and free while there is one thread.
#pragma once

#include <stdint.h>

// True after the first pthread_create.
extern bool forklore_has_threads;

// A number that differs between the threads of a process: the thread pointer.
inline uint64_t thread_pointer() {
    uint64_t value;
    asm("mrs %0, tpidr_el0" : "=r"(value));
    return value;
}

struct _reent;
extern "C" void __malloc_lock(struct _reent*);
extern "C" void __malloc_unlock(struct _reent*);

class HeapLockForFork {
public:
    HeapLockForFork() { __malloc_lock(nullptr); }
    ~HeapLockForFork() { __malloc_unlock(nullptr); }
};
