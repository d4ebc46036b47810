#include "user/newlib/recursive_lock.h"

#include "forklore/forklore.h"

bool forklore_has_threads = false;

bool RecursiveLock::entered_again() {
    if (__atomic_load_n(&owner_, __ATOMIC_RELAXED) != thread_pointer()) {
        return false;
    }
    ++depth_;
    return true;
}

void RecursiveLock::now_mine() {
    __atomic_store_n(&owner_, thread_pointer(), __ATOMIC_RELAXED);
    depth_ = 1;
}

void RecursiveLock::lock() {
    if (try_lock()) {
        return;
    }
    while (__atomic_exchange_n(&word_, 2, __ATOMIC_ACQUIRE) != 0) {
        futex_wait(&word_, 2, nullptr);
    }
    now_mine();
}

bool RecursiveLock::try_lock() {
    if (!forklore_has_threads || entered_again()) {
        return true;
    }
    uint32_t expected = 0;
    if (!__atomic_compare_exchange_n(&word_, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return false;
    }
    now_mine();
    return true;
}

void RecursiveLock::unlock() {
    if (__atomic_load_n(&owner_, __ATOMIC_RELAXED) != thread_pointer() || --depth_ > 0) {
        return;
    }
    __atomic_store_n(&owner_, ~0ull, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&word_, 0, __ATOMIC_RELEASE) == 2) {
        futex_wake(&word_, 1);
    }
}
