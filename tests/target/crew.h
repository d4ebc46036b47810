// A crew of threads for one test: started together, waited for with a limit, so that a lost wake-up fails the test
// instead of hanging the run. Workers never check; they report in their own fields, and the test looks afterwards.
#pragma once

#include "kernel/sched.h"
#include "machine/clock.h"

inline constexpr Nanoseconds millisecond = 1'000'000;

class Crew {
public:
    using Work = void (*)(void*);

    Crew() = default;
    Crew(const Crew&) = delete;

    // False if there is no memory for it; then it is not waited for.
    bool start(Work work, void* argument) {
        for (Slot& slot : slots_) {
            if (slot.work == nullptr) {
                slot = {this, work, argument};
                if (!kernel_thread_start("crew", run, &slot).ok()) {
                    slot.work = nullptr;
                    return false;
                }
                ++started_;
                return true;
            }
        }
        return false;
    }

    // True if all have finished within the limit. They have then also ended: nothing of them is left.
    bool wait(Nanoseconds limit = 20 * nanoseconds_per_second) {
        const Nanoseconds deadline = machine_clock::now() + limit;
        {
            SpinGuard guard(lock_);
            while (finished_ < started_) {
                if (park(channel_, lock_, {.deadline = deadline}) == WakeReason::TimedOut) {
                    return finished_ == started_;
                }
            }
        }
        while (Thread::count() > threads_before_ && machine_clock::now() < deadline) {
            sleep_until(machine_clock::now() + millisecond / 10, false);
        }
        return Thread::count() <= threads_before_;
    }

private:
    struct Slot {
        Crew* crew = nullptr;
        Work work = nullptr;
        void* argument = nullptr;
    };

    static void run(void* of_slot) {
        Slot& slot = *static_cast<Slot*>(of_slot);
        slot.work(slot.argument);
        SpinGuard guard(slot.crew->lock_);
        ++slot.crew->finished_;
        wake_all(slot.crew->channel_);
    }

    SpinLock lock_{LockRank::FileWait, "crew"};
    Channel channel_;
    uint64_t threads_before_ = Thread::count();
    unsigned started_ = 0, finished_ = 0;
    Slot slots_[32];
};

// Counts up, and sleeps while it is zero.
class Semaphore {
public:
    void up() {
        SpinGuard guard(lock_);
        ++count_;
        wake_one(channel_);
    }
    // Woken: one was taken. Else the sleep ended and nothing was taken.
    WakeReason down(ParkOptions options = {}) {
        SpinGuard guard(lock_);
        while (count_ == 0) {
            const WakeReason reason = park(channel_, lock_, options);
            if (reason != WakeReason::Woken) {
                return reason;
            }
        }
        --count_;
        return WakeReason::Woken;
    }
    unsigned count() {
        SpinGuard guard(lock_);
        return count_;
    }

private:
    SpinLock lock_{LockRank::FileWait, "counter"};
    Channel channel_;
    unsigned count_ = 0;
};
