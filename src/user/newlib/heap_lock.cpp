#include "user/newlib/heap_lock.h"

#include <reent.h>

constinit RecursiveLock forklore_heap_lock;

extern "C" {
void __malloc_lock(struct _reent*) { forklore_heap_lock.lock(); }
void __malloc_unlock(struct _reent*) { forklore_heap_lock.unlock(); }
}
