// The rounds of run_queue.h.
#include "kernel/run_queue.h"

void RunQueue::add(Thread& thread, Arrival how) {
    const bool slept_through_round = how == Arrival::Woken && thread.round_queue == this &&
                                     thread.round != round_.load(std::memory_order_relaxed);
    const bool spent = thread.slice_left == 0 || how == Arrival::Spent;
    if (slept_through_round || spent) {
        thread.slice_left = slice_of(thread.nice.load(std::memory_order_relaxed));
    }
    if (how == Arrival::Yielded || (spent && !slept_through_round)) {
        expired().push_back(thread);
    } else if (how == Arrival::Moved) {
        active().push_back(thread);
    } else {
        active().push_front(thread);
    }
    ready_.store(ready() + 1, std::memory_order_relaxed);
}

// A thread can be ready before the core it ran on has put its registers away.
Thread* RunQueue::first_off_core(Threads& threads) {
    for (Thread& thread : threads) {
        if (!thread.on_core.load(std::memory_order_acquire)) {
            return &thread;
        }
    }
    return nullptr;
}

void RunQueue::remove(Thread& thread) {
    thread.run_link.unlink();
    ready_.store(ready() - 1, std::memory_order_relaxed);
}

Thread* RunQueue::take() {
    if (active().empty()) {
        active_ ^= 1;
        round_.store(round_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    Thread* thread = first_off_core(active());
    if (thread == nullptr) {
        return nullptr;
    }
    remove(*thread);
    thread->round_queue = this;
    thread->round = round_.load(std::memory_order_relaxed);
    return thread;
}

Thread* RunQueue::steal() {
    for (Threads* threads : {&expired(), &active()}) {
        Thread* thread = threads->last();
        if (thread != nullptr && thread->on_core.load(std::memory_order_acquire)) {
            thread = first_off_core(*threads);
        }
        if (thread != nullptr) {
            remove(*thread);
            return thread;
        }
    }
    return nullptr;
}
