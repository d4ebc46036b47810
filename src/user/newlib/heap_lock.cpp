#include "user/newlib/heap_lock.h"

#include <reent.h>

#include "forklore/forklore.h"

bool forklore_has_threads = false;

namespace {
// 0 free, 1 held, 2 held and somebody may wait. Owner and depth belong to the holder.
uint32_t word = 0;
uint64_t owner = ~0ull;
int depth = 0;
}  // namespace

extern "C" {

void __malloc_lock(struct _reent*) {
    if (!forklore_has_threads) {
        return;
    }
    const uint64_t self = thread_pointer();
    if (__atomic_load_n(&owner, __ATOMIC_RELAXED) == self) {
        ++depth;
        return;
    }
    uint32_t expected = 0;
    if (!__atomic_compare_exchange_n(&word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        while (__atomic_exchange_n(&word, 2, __ATOMIC_ACQUIRE) != 0) {
            futex_wait(&word, 2, nullptr);
        }
    }
    __atomic_store_n(&owner, self, __ATOMIC_RELAXED);
    depth = 1;
}

// Only the holder gets past the first test: a lock that was "taken" before there were threads has no depth.
void __malloc_unlock(struct _reent*) {
    if (!forklore_has_threads || depth == 0 || --depth > 0) {
        return;
    }
    __atomic_store_n(&owner, ~0ull, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&word, 0, __ATOMIC_RELEASE) == 2) {
        futex_wake(&word, 1);
    }
}

}  // extern "C"
