// A lock that its holder may take again. Nothing at all before the process has a second thread.
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

class RecursiveLock {
public:
    constexpr RecursiveLock() = default;
    void lock();
    bool try_lock();
    // By who does not hold it: nothing. (It may have been "taken" before there were threads.)
    void unlock();

private:
    bool entered_again();
    void now_mine();

    uint32_t word_ = 0;         // 0 free, 1 held, 2 held and somebody may wait
    uint64_t owner_ = ~0ull;    // it and the depth belong to the holder
    int depth_ = 0;
};

// Holds a lock for a scope.
class RecursiveGuard {
public:
    explicit RecursiveGuard(RecursiveLock& lock) : lock_(lock) { lock_.lock(); }
    ~RecursiveGuard() { lock_.unlock(); }
    RecursiveGuard(const RecursiveGuard&) = delete;

private:
    RecursiveLock& lock_;
};
