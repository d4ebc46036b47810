#include "user/newlib/heap_lock.h"

#include <reent.h>

namespace {
RecursiveLock heap_lock;
}

extern "C" {
void __malloc_lock(struct _reent*) { heap_lock.lock(); }
void __malloc_unlock(struct _reent*) { heap_lock.unlock(); }
}
