// POSIX threads as a program sees them. The library keeps the stacks of threads that ended for the next ones, so each test
// has a process of its own.
#include <pthread.h>
#include <sys/mman.h>

#include "user/support/support.h"

TEST_GROUP(Threads) {};

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

TEST(Threads, join_gives_what_the_threads_function_returned) {
    LONGS_EQUAL(0, exited(in_child([] {
        pthread_t thread;
        LEAVE_UNLESS(pthread_create(&thread, nullptr, add_one, &counter) == 0);
        void* result = nullptr;
        LEAVE_UNLESS(pthread_join(thread, &result) == 0);
        LEAVE_UNLESS(result == &counter);
        return 0;
    })));
}

TEST(Threads, join_gives_what_pthread_exit_was_called_with) {
    LONGS_EQUAL(0, exited(in_child([] {
        pthread_t thread;
        LEAVE_UNLESS(pthread_create(&thread, nullptr, leave_early, &counter) == 0);
        void* result = nullptr;
        LEAVE_UNLESS(pthread_join(thread, &result) == 0);
        LEAVE_UNLESS(result == &counter);
        return 0;
    })));
}

TEST(Threads, a_threads_number_is_the_one_that_create_gave_and_differs_from_the_first_threads) {
    LONGS_EQUAL(0, exited(in_child([] {
        pthread_t thread;
        LEAVE_UNLESS(pthread_create(&thread, nullptr, its_own_number, nullptr) == 0);
        void* result = nullptr;
        LEAVE_UNLESS(pthread_join(thread, &result) == 0);
        LEAVE_UNLESS(pthread_equal(thread, static_cast<pthread_t>(reinterpret_cast<uintptr_t>(result))));
        LEAVE_UNLESS(!pthread_equal(thread, pthread_self()));
        return 0;
    })));
}

TEST(Threads, a_thread_may_not_join_itself) { LONGS_EQUAL(EDEADLK, pthread_join(pthread_self(), nullptr)); }

TEST(Threads, many_threads_run_at_once_each_on_a_stack_of_its_own) {
    LONGS_EQUAL(0, exited(in_child([] {
        pthread_t threads[4];
        for (uintptr_t i = 0; i < 4; ++i) {
            LEAVE_UNLESS(pthread_create(&threads[i], nullptr, change_a_local, reinterpret_cast<void*>(i + 1)) == 0);
        }
        for (uintptr_t i = 0; i < 4; ++i) {
            void* result = nullptr;
            LEAVE_UNLESS(pthread_join(threads[i], &result) == 0);
            LEAVE_UNLESS(reinterpret_cast<uintptr_t>(result) == i + 1);
        }
        return 0;
    })));
}

TEST(Threads, detached_threads_end_by_themselves_whichever_comes_first) {
    LONGS_EQUAL(0, exited(in_child([] {
        counter = 0;
        pthread_attr_t detached;
        pthread_attr_init(&detached);
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        for (int i = 0; i < 200; ++i) {
            pthread_t thread;
            LEAVE_UNLESS(pthread_create(&thread, i % 2 ? &detached : nullptr, add_one, nullptr) == 0);
            if (i % 2 == 0) {
                sched_yield();
                LEAVE_UNLESS(pthread_detach(thread) == 0);
            }
        }
        while (__atomic_load_n(&counter, __ATOMIC_RELAXED) != 200) {
            sched_yield();
        }
        return 0;
    })));
}

TEST(Threads, a_thread_that_overflows_its_stack_ends_the_process_with_SIGSEGV) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        pthread_t thread;
        pthread_create(&thread, nullptr, grow_past_the_stack, nullptr);
        return pthread_join(thread, nullptr);
    })));
}

TEST(Threads, fork_in_a_thread_makes_a_process_of_one_thread) {
    LONGS_EQUAL(0, exited(in_child([] {
        auto fork_and_wait = [](void*) -> void* {
            return reinterpret_cast<void*>(static_cast<intptr_t>(exited(in_child([] { return 7; }))));
        };
        pthread_t thread;
        LEAVE_UNLESS(pthread_create(&thread, nullptr, fork_and_wait, nullptr) == 0);
        void* result = nullptr;
        LEAVE_UNLESS(pthread_join(thread, &result) == 0);
        LEAVE_UNLESS(reinterpret_cast<intptr_t>(result) == 7);
        return 0;
    })));
}
