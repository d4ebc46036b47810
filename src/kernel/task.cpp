// Task: its list of threads.
#include "kernel/task.h"

Zone& Task::zone() {
    static Zone& zone = zone_create({.name = "tasks", .element_size = sizeof(Task)}).value();
    return zone;
}

void Task::add(Thread& thread) {
    SpinGuard guard(lock);
    ASSERT(thread.task == nullptr);
    thread.task = this;
    threads.push_back(thread);
    ++thread_count;
}

bool Task::remove(Thread& thread) {
    SpinGuard guard(lock);
    ASSERT(thread.task == this);
    threads.remove(thread);
    thread.task = nullptr;
    return --thread_count == 0;
}
