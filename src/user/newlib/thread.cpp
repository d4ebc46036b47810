// POSIX threads: making them, ending them, joining them. Each has one block of memory: a guard page, its stack, and its
// Descriptor at the top. Blocks of threads that ended wait for the next thread.
//
// newlib's errno is one variable for all threads.
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

#include "forklore/forklore.h"
#include "user/newlib/recursive_lock.h"
#include "user/newlib/system_call.h"

namespace {

constexpr unsigned page_shift = 12;
constexpr size_t page = 1u << page_shift;
constexpr size_t block_size = 256 * 1024;

struct alignas(16) Descriptor {
    uint32_t alive = 0;         // the kernel clears it, and wakes who waits, when the thread is gone
    bool detached = false;
    void* (*start)(void*) = nullptr;
    void* argument = nullptr;
    void* result = nullptr;
    Descriptor* next = nullptr; // in `spare`
};

// newlib's pthread_t has 32 bits: a block's page number. The first thread's is 0.
char* block_of(Descriptor& thread) { return reinterpret_cast<char*>(&thread + 1) - block_size; }
pthread_t number_of(Descriptor& thread) {
    return static_cast<pthread_t>(reinterpret_cast<uintptr_t>(block_of(thread)) >> page_shift);
}
Descriptor& descriptor_of(pthread_t number) {
    const uintptr_t block = static_cast<uintptr_t>(number) << page_shift;
    return reinterpret_cast<Descriptor*>(block + block_size)[-1];
}
Descriptor* self() { return reinterpret_cast<Descriptor*>(thread_pointer()); }

// Sleeps in the kernel while another thread is in it.
class Lock {
public:
    void acquire() {
        uint32_t expected = 0;
        if (!__atomic_compare_exchange_n(&word_, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            while (__atomic_exchange_n(&word_, 2, __ATOMIC_ACQUIRE) != 0) {
                futex_wait(&word_, 2, nullptr);
            }
        }
    }
    void release() {
        if (__atomic_exchange_n(&word_, 0, __ATOMIC_RELEASE) == 2) {
            futex_wake(&word_, 1);
        }
    }

private:
    uint32_t word_ = 0;     // 0 free, 1 held, 2 held and somebody may wait
};

Lock spare_lock;
Descriptor* spare = nullptr;    // of joined and detached threads; a detached one may still be on its way out

// A block whose thread is gone.
Descriptor* take_spare() {
    spare_lock.acquire();
    Descriptor** at = &spare;
    while (*at != nullptr && __atomic_load_n(&(*at)->alive, __ATOMIC_ACQUIRE) != 0) {
        at = &(*at)->next;
    }
    Descriptor* found = *at;
    if (found != nullptr) {
        *at = found->next;
    }
    spare_lock.release();
    return found;
}

void give_spare(Descriptor& thread) {
    spare_lock.acquire();
    thread.next = spare;
    spare = &thread;
    spare_lock.release();
}

Descriptor* new_block() {
    void* block = mmap(nullptr, block_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
        return nullptr;
    }
    if (mprotect(block, page, PROT_NONE) != 0) {
        munmap(block, block_size);
        return nullptr;
    }
    return reinterpret_cast<Descriptor*>(static_cast<char*>(block) + block_size) - 1;
}

}  // namespace

extern "C" {

void forklore_thread_entry(Descriptor*);    // entry.S

[[noreturn]] void forklore_thread_main(Descriptor* thread) { pthread_exit(thread->start(thread->argument)); }

int pthread_create(pthread_t* number, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
    Descriptor* thread = take_spare();
    if (thread == nullptr) {
        thread = new_block();
    }
    if (thread == nullptr) {
        return EAGAIN;
    }
    forklore_has_threads = true;
    *thread = {.alive = 1, .start = start, .argument = argument};
    thread->detached = attributes != nullptr && attributes->detachstate == PTHREAD_CREATE_DETACHED;
    *number = number_of(*thread);
    const long made = system_call(SYS_thread_create, forklore_thread_entry, thread, thread, thread);
    if (is_error(made)) {
        thread->alive = 0;
        give_spare(*thread);
        return static_cast<int>(-made);
    }
    return 0;
}

void pthread_exit(void* result) {
    Descriptor* thread = self();
    if (thread == nullptr) {
        for (;;) {
            system_call(SYS_thread_exit, 0l);       // the first thread: the process lives on in the others
        }
    }
    thread->result = result;
    // Detached: the block is free for others from here, but for the word that says when the thread has left it.
    if (__atomic_exchange_n(&thread->detached, true, __ATOMIC_ACQ_REL)) {
        give_spare(*thread);
    }
    for (;;) {
        system_call(SYS_thread_exit, &thread->alive);
    }
}

int pthread_join(pthread_t number, void** result) {
    Descriptor& thread = descriptor_of(number);
    if (number == pthread_self()) {
        return EDEADLK;
    }
    while (__atomic_load_n(&thread.alive, __ATOMIC_ACQUIRE) != 0) {
        futex_wait(&thread.alive, 1, nullptr);
    }
    if (result != nullptr) {
        *result = thread.result;
    }
    give_spare(thread);
    return 0;
}

// Whoever comes second, the end of the thread or this, gives the block back.
int pthread_detach(pthread_t number) {
    Descriptor& thread = descriptor_of(number);
    if (__atomic_exchange_n(&thread.detached, true, __ATOMIC_ACQ_REL)) {
        give_spare(thread);
    }
    return 0;
}

pthread_t pthread_self() { return self() != nullptr ? number_of(*self()) : 0; }
int pthread_equal(pthread_t one, pthread_t other) { return one == other; }

int pthread_attr_init(pthread_attr_t* attributes) {
    *attributes = {};
    attributes->is_initialized = 1;
    attributes->detachstate = PTHREAD_CREATE_JOINABLE;
    return 0;
}
int pthread_attr_destroy(pthread_attr_t*) { return 0; }
int pthread_attr_setdetachstate(pthread_attr_t* attributes, int state) {
    if (state != PTHREAD_CREATE_DETACHED && state != PTHREAD_CREATE_JOINABLE) {
        return EINVAL;
    }
    attributes->detachstate = state;
    return 0;
}
int pthread_attr_getdetachstate(const pthread_attr_t* attributes, int* state) {
    *state = attributes->detachstate;
    return 0;
}

}  // extern "C"
