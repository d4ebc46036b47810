// Thread: what the scheduler runs. It knows its task, its kernel stack and its Unix half, and nothing of processes.
//
// Life: Waiting (made, never ran) -> Ready <-> Running -> Blocked or Sleeping -> Ready ...; Running -> Dead. Only the
// scheduler (sched.cpp, park.cpp, idle.cpp) changes the state. Counterpart in the original: struct thread.
#pragma once

#include <atomic>

#include "base/list.h"
#include "base/relaxed.h"
#include "base/types.h"
#include "kernel/stack.h"
#include "machine/fp.h"
#include "machine/mutex.h"
#include "machine/park.h"
#include "machine/user_frame.h"
#include "mm/zone.h"

class RunQueue;
class Task;
struct UThread;

// Blocked: only its channel or a deadline wakes it. Sleeping: a signal does too.
enum class ThreadState : uint8_t { Waiting, Ready, Running, Blocked, Sleeping, Dead };

// What a thread must look at before it returns to its program: bits of Thread::return_work.
enum class ReturnWork : uint32_t {
    Reschedule = 1,     // its time slice ended, or a better thread is ready
    Signal = 2,         // a signal may be deliverable (proc/signal.cpp looks)
    Terminate = 4,      // its process ends: it must exit
    Stop = 8,           // its process is stopped
    Kill = 16,          // SIGKILL came for its process, or for the one that lent it: no stop holds it, its loan ends
};

class Thread : public ThreadBase {
public:
    static Zone& zone();

    explicit Thread(const char* thread_name);
    ~Thread();
    static uint64_t count();         // threads there are

    // The program's registers, while the thread is inside the kernel on the program's behalf.
    UserFrame& user_frame() const { return *reinterpret_cast<UserFrame*>(stack.top().value - sizeof(UserFrame)); }

    void ask(ReturnWork work) { return_work.fetch_or(static_cast<uint32_t>(work), std::memory_order_release); }
    void done(ReturnWork work) { return_work.fetch_and(~static_cast<uint32_t>(work), std::memory_order_acquire); }
    bool asked(ReturnWork work) const {
        return (return_work.load(std::memory_order_acquire) & static_cast<uint32_t>(work)) != 0;
    }
    // Asked for something that no sleep may delay.
    bool must_return() const {
        return (return_work.load(std::memory_order_acquire) & ~static_cast<uint32_t>(ReturnWork::Reschedule)) != 0;
    }

    // Identity. Written before the thread runs.
    char name[32] = {};
    Task* task = nullptr;           // none for a kernel thread
    UThread* uthread = nullptr;     // none for a kernel thread
    ListNode task_link;             // Task::threads, guarded by the task's lock

    // Work before the return to the program; any core sets bits, entry/ clears them.
    std::atomic<uint32_t> return_work{0};

    // Scheduling; the scheduler's.
    KernelStack stack;
    ListNode run_link;                          // RunQueue, guarded by its lock
    std::atomic<ThreadState> state{ThreadState::Waiting};
    std::atomic<bool> on_core{false};           // its registers are on a core, not yet in `context`
    std::atomic<WakeReason> wake_reason{WakeReason::Woken};
    std::atomic<int8_t> nice{0};                // -20..19
    uint32_t round = 0;                         // of `round_queue`, in which it last ran
    const RunQueue* round_queue = nullptr;
    Nanoseconds slice_left = 0;                 // of this round
    std::atomic<Nanoseconds> last_charged{0};   // written by the core it runs on
    std::atomic<Nanoseconds> run_time{0};       // total up to last_charged, exact
    // Counts that the core adds to on which the thread runs, and that every core may read.
    Relaxed<uint64_t> user_samples, system_samples;     // how the clock interrupts found it: they split run_time
    Relaxed<uint64_t> voluntary_switches, involuntary_switches;
    Relaxed<uint64_t> minor_faults;             // page faults that were cured
    void (*entry)(void*) = nullptr;             // where a kernel thread starts
    void* entry_argument = nullptr;

    uint64_t thread_pointer = 0;                // TPIDR_EL0, saved and loaded at a switch

    // Floating point: the unit is open on a core exactly while `fp_on_core` of its current thread is set. `uses_fp` is set
    // by the first use.
    bool uses_fp = false;
    bool fp_on_core = false;
    FpState fp;                 // valid once uses_fp and while not on the core
};
