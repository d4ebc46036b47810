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

static void* spin(void*) {
    for (;;) {
        sched_yield();
    }
}
static void start(void* (*body)(void*), void* argument = nullptr) {
    pthread_t thread;
    pthread_create(&thread, nullptr, body, argument);
}

TEST(Threads, exit_ends_them_all_with_its_status) {
    LONGS_EQUAL(9, exited(in_child([] {
        start(spin);
        start(spin);
        return 9;
    })));
}

TEST(Threads, exit_by_another_thread_than_the_first_gives_the_status) {
    LONGS_EQUAL(8, exited(in_child([] {
        start(spin);
        start([](void*) -> void* { _exit(8); });
        for (;;) {
            pause();
        }
        return 0;
    })));
}

TEST(Threads, the_process_ends_when_the_last_of_them_has_ended) {
    LONGS_EQUAL(0, exited(in_child([] {
        start([](void*) -> void* {
            usleep(2'000);
            return nullptr;
        });
        pthread_exit(nullptr);
        return 1;
    })));
}

TEST(Threads, a_fatal_signal_ends_them_all) {
    LONGS_EQUAL(SIGTERM, killed_by(in_child([] {
        start(spin);
        start([](void*) -> void* {
            raise(SIGTERM);
            return nullptr;
        });
        for (;;) {
            pause();
        }
        return 0;
    })));
}

TEST(Threads, a_fault_of_one_ends_them_all) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        start(spin);
        start([](void*) -> void* {
            uintptr_t address = 16;
            asm("" : "+r"(address));
            return *reinterpret_cast<void* volatile*>(address);
        });
        for (;;) {
            pause();
        }
        return 0;
    })));
}

TEST(Threads, a_stop_stops_them_all) {
    static volatile uint32_t* count;
    count = static_cast<uint32_t*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 3; ++i) {
            start([](void*) -> void* {
                for (;;) {
                    __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
                    sched_yield();
                }
            });
        }
        spin(nullptr);
    }
    while (*count < 100) {
        usleep(1'000);
    }
    kill(pid, SIGSTOP);
    int status;
    waitpid(pid, &status, WUNTRACED);
    const uint32_t then = *count;
    usleep(20'000);
    const uint32_t later = *count;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    munmap(const_cast<uint32_t*>(count), 4096);
    LONGS_EQUAL(SIGSTOP, stopped_by(status));
    LONGS_EQUAL(then, later);
}

TEST(Threads, a_signal_to_the_process_goes_to_one_that_does_not_block_it) {
    LONGS_EQUAL(0, exited(in_child([] {
        static volatile pthread_t handled_by;
        static pthread_t other;
        handled_by = ~pthread_t{0};
        signal(SIGUSR1, [](int) { handled_by = pthread_self(); });
        pthread_create(&other, nullptr, [](void*) -> void* {
            while (handled_by == ~pthread_t{0}) {
                usleep(1'000);
            }
            return nullptr;
        }, nullptr);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        kill(getpid(), SIGUSR1);
        pthread_join(other, nullptr);
        return handled_by == other ? 0 : 1;
    })));
}

TEST(Threads, all_have_one_pid_and_each_its_own_tid) {
    LONGS_EQUAL(0, exited(in_child([] {
        static int tid, pid;
        pthread_t thread;
        pthread_create(&thread, nullptr, [](void*) -> void* {
            tid = gettid();
            pid = getpid();
            return nullptr;
        }, nullptr);
        pthread_join(thread, nullptr);
        return pid == getpid() && tid != gettid() ? 0 : 1;
    })));
}

TEST(Threads, fork_while_others_allocate_leaves_the_child_a_heap_that_works) {
    LONGS_EQUAL(0, exited(in_child([] {
        for (int i = 0; i < 3; ++i) {
            start([](void*) -> void* {
                for (;;) {
                    free(malloc(100));
                }
            });
        }
        for (int i = 0; i < 20; ++i) {
            const int status = in_child([] {
                void* block = malloc(1000);
                free(block);
                return block != nullptr ? 0 : 1;
            });
            LEAVE_UNLESS(exited(status) == 0);
        }
        return 0;
    })));
}
