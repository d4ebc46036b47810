// POSIX threads as a program sees them.
#include <pthread.h>
#include <sys/mman.h>

#include "support.h"

namespace {

uint32_t counter;

void* add_one(void* result) {
    __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
    return result;
}

void* its_own_number(void*) { return reinterpret_cast<void*>(static_cast<uintptr_t>(pthread_self())); }
void* leave_early(void* result) { pthread_exit(result); }

void* change_a_local(void* argument) {
    volatile char local[8192];
    memset(const_cast<char*>(local), static_cast<int>(reinterpret_cast<uintptr_t>(argument)), sizeof local);
    for (int i = 0; i < 50; ++i) {
        sched_yield();
        for (char byte : local) {
            if (byte != static_cast<char>(reinterpret_cast<uintptr_t>(argument))) {
                return nullptr;
            }
        }
    }
    return argument;
}

void* grow_past_the_stack(void*) {
    volatile char* below = static_cast<volatile char*>(__builtin_frame_address(0));
    for (size_t i = 0; i < 1024 * 1024; i += 512) {
        below[-static_cast<long>(i)] = 1;
    }
    return nullptr;
}

}  // namespace

TEST("join gives what the thread's function returned") {
    pthread_t thread;
    EQUAL(0, pthread_create(&thread, nullptr, add_one, &counter));
    void* result = nullptr;
    EQUAL(0, pthread_join(thread, &result));
    CHECK(result == &counter);
}

TEST("join gives what pthread_exit was called with") {
    pthread_t thread;
    EQUAL(0, pthread_create(&thread, nullptr, leave_early, &counter));
    void* result = nullptr;
    EQUAL(0, pthread_join(thread, &result));
    CHECK(result == &counter);
}

TEST("a thread's number is the one that create gave, and differs from the first thread's") {
    pthread_t thread;
    EQUAL(0, pthread_create(&thread, nullptr, its_own_number, nullptr));
    void* result = nullptr;
    EQUAL(0, pthread_join(thread, &result));
    CHECK(pthread_equal(thread, static_cast<pthread_t>(reinterpret_cast<uintptr_t>(result))));
    CHECK(!pthread_equal(thread, pthread_self()));
}

TEST("a thread may not join itself") { EQUAL(EDEADLK, pthread_join(pthread_self(), nullptr)); }

TEST("many threads run at once, each on a stack of its own") {
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; ++i) {
        EQUAL(0, pthread_create(&threads[i], nullptr, change_a_local, reinterpret_cast<void*>(i + 1)));
    }
    for (uintptr_t i = 0; i < 4; ++i) {
        void* result = nullptr;
        EQUAL(0, pthread_join(threads[i], &result));
        EQUAL(i + 1, reinterpret_cast<uintptr_t>(result));
    }
}

TEST("detached threads end by themselves, whichever comes first") {
    counter = 0;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 200; ++i) {
        pthread_t thread;
        EQUAL(0, pthread_create(&thread, i % 2 ? &detached : nullptr, add_one, nullptr));
        if (i % 2 == 0) {
            sched_yield();
            EQUAL(0, pthread_detach(thread));
        }
    }
    while (__atomic_load_n(&counter, __ATOMIC_RELAXED) != 200) {
        sched_yield();
    }
}

TEST("a thread that overflows its stack ends the process with SIGSEGV") {
    EQUAL(SIGSEGV, killed_by(in_child([] {
        pthread_t thread;
        pthread_create(&thread, nullptr, grow_past_the_stack, nullptr);
        return pthread_join(thread, nullptr);
    })));
}

TEST("fork in a thread makes a process of one thread") {
    auto fork_and_wait = [](void*) -> void* {
        return reinterpret_cast<void*>(static_cast<intptr_t>(exited(in_child([] { return 7; }))));
    };
    pthread_t thread;
    EQUAL(0, pthread_create(&thread, nullptr, fork_and_wait, nullptr));
    void* result = nullptr;
    EQUAL(0, pthread_join(thread, &result));
    EQUAL(7, reinterpret_cast<intptr_t>(result));
}
