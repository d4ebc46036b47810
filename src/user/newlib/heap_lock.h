// The heap's lock: malloc and free take it, and fork holds it. Recursive, and free while there is one thread.
#pragma once

#include "user/newlib/recursive_lock.h"

struct _reent;
extern "C" void __malloc_lock(struct _reent*);
extern "C" void __malloc_unlock(struct _reent*);

class HeapLockForFork {
public:
    HeapLockForFork() { __malloc_lock(nullptr); }
    ~HeapLockForFork() { __malloc_unlock(nullptr); }
};
