// Task: what a program owns as a machine: its address space and its threads. Counterpart: task_t.
#pragma once

#include "base/ref.h"
#include "kernel/thread.h"
#include "mm/address_space.h"

class Proc;

class Task {
public:
    static Zone& zone();

    Task(Ref<AddressSpace> address_space, Proc* owner) : space(std::move(address_space)), proc(owner) {}

    // Joins and leaves the list of threads; true from remove() if it was the last. add() sets Thread::task, which is null before.
    void add(Thread& thread);
    bool remove(Thread& thread);

    Ref<AddressSpace> space;    // replaced by exec, when only one thread is left, under its process's signals.lock
    Proc* proc;                 // written before the task is reachable
    SpinLock lock{LockRank::Task, "task"};
    List<Thread, &Thread::task_link> threads GUARDED_BY(lock);
    unsigned thread_count GUARDED_BY(lock) = 0;
};
