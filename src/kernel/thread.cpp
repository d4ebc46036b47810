// Thread: its making and its count. What moves it is sched.cpp.
#include "kernel/thread.h"

#include "kernel/sched.h"

namespace {

std::atomic<uint32_t> next_tid{1};
std::atomic<uint64_t> living{0};

}  // namespace

Zone& Thread::zone() {
    static Zone& zone = zone_create({.name = "threads", .element_size = sizeof(Thread)}).value();
    return zone;
}

Thread::Thread(const char* thread_name) {
    tid = next_tid.fetch_add(1, std::memory_order_relaxed);
    for (size_t i = 0; i + 1 < sizeof name && thread_name[i] != '\0'; ++i) {
        name[i] = thread_name[i];
    }
    living.fetch_add(1, std::memory_order_relaxed);
}

Thread::~Thread() { living.fetch_sub(1, std::memory_order_relaxed); }

uint64_t Thread::count() { return living.load(std::memory_order_relaxed); }

Result<ZoneOwned<Thread>> thread_create(const char* name) {
    KernelStack stack = TRY(KernelStack::allocate());
    auto thread = TRY(zone_new<Thread>({.wait = false}, name));
    thread->stack = std::move(stack);
    return thread;
}
