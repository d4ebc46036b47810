// RunQueue: the ready threads of one core, and whose turn it is.
//
// Two lists make a round. Each thread may run for one slice a round, longer the nicer it is to it; while it has some
// left it waits in `active`, afterwards, with a new slice, in `expired`. When nobody in `active` is left the lists
// change names and a round begins. So nobody starves: whoever sleeps and wakes keeps what is left of its slice,
// and only a new round fills it up.
// Lock: `lock`; ready() needs none.
#pragma once

#include "kernel/thread.h"

// How long a thread may run in one round.
constexpr Nanoseconds slice_of(int nice) { return static_cast<Nanoseconds>(20 - nice) * 500'000; }

enum class Arrival : uint8_t {
    Woken,      // in front: what it waited for is still in the caches
    Preempted,  // in front: it was not done
    Moved,      // from another core, or yielded to it: behind those that wait already
    Yielded,    // behind everybody, with what is left of its slice
    Spent,      // its slice is used up
};

class RunQueue {
public:
    void add(Thread& thread, Arrival how) REQUIRES(lock);
    // Whose turn it is, off the queue; nullptr if nobody is ready, or only threads that another core is still leaving.
    Thread* take() REQUIRES(lock);
    // For another core: the one whose turn is farthest away, off the queue.
    Thread* steal() REQUIRES(lock);

    unsigned ready() const { return ready_.load(std::memory_order_relaxed); }
    // Whether the thread ran here in this round and has some of its slice left. For the queue's own core, without the lock.
    bool in_round(const Thread& thread) const {
        return thread.round_queue == this && thread.slice_left != 0 &&
               thread.round == round_.load(std::memory_order_relaxed);
    }

    SpinLock lock{LockRank::RunQueue, "run queue"};

private:
    using Threads = List<Thread, &Thread::run_link>;

    Threads& active() REQUIRES(lock) { return lists_[active_]; }
    Threads& expired() REQUIRES(lock) { return lists_[active_ ^ 1]; }
    static Thread* first_off_core(Threads& threads);
    void remove(Thread& thread) REQUIRES(lock);

    Threads lists_[2] GUARDED_BY(lock);
    unsigned active_ GUARDED_BY(lock) = 0;
    std::atomic<uint32_t> round_{0};    // changed by its own core, under the lock
    std::atomic<unsigned> ready_{0};
};
