// Threads of a program, and the words they wait on.
#include "abi/forklore.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/exit.h"
#include "kernel/sched.h"
#include "kernel/time_values.h"
#include "machine/clock.h"
#include "machine/user_access.h"
#include "mm/user_copy.h"

namespace {

// Each has a kernel stack. In all they leave half of the places for stacks to processes, so that root can still fork.
constexpr unsigned most_threads = 256;              // of a process
constexpr uint64_t most_threads_in_all = 16'384;

Result<> may_make_thread_locked(Proc& proc) REQUIRES(proc.signals.lock) {
    if (proc.last_thread != nullptr || proc.exiting) {
        return Error::TryAgain;         // exit or exec ends all threads: no new one now
    }
    SpinGuard guard(proc.task->lock);
    const bool room = proc.task->thread_count < most_threads && Thread::count() <= most_threads_in_all;
    return room ? Result<>() : Error::TryAgain;
}

}  // namespace

Result<uint64_t> sys_gettid(UserFrame&) { return cpu::current_thread()->tid; }

Result<uint64_t> sys_sched_yield(UserFrame&) {
    yield();
    return 0;
}

Result<uint64_t> sys_thread_create(UserFrame& frame) {
    UserAddr entry(frame.x[0]);
    uint64_t argument = frame.x[1];
    UserAddr stack(frame.x[2]);
    uint64_t thread_pointer = frame.x[3];
    if (entry.null() || entry >= user_end || stack.value % 16 != 0 || stack >= user_end) {
        return Error::Invalid;
    }
    UThread& caller = current_uthread();
    if (caller.loan) {
        return Error::Invalid;      // the child on loan has no task that a thread could join
    }
    Proc& proc = current_proc();
    auto thread = TRY(thread_create(proc.inherited.name));
    auto uthread = TRY(uthread_alloc(*thread, proc, &caller));
    UserFrame& registers = thread->user_frame();
    registers = UserFrame{};
    registers.x[0] = argument;
    registers.sp = stack.value;
    registers.pc = entry.value;
    registers.pstate = user_pstate;
    thread->thread_pointer = thread_pointer;
    thread_set_user_entry(*thread);
    proc.files->mark_shared();
    uint32_t tid = thread->tid;
    {
        SpinGuard guard(proc.signals.lock);
        TRY(may_make_thread_locked(proc));
        thread->uthread = uthread.release();
        proc.task->add(*thread);
        thread_set_nice(*thread, proc.inherited.nice);  // setpriority, which takes the lock too, may have been here
    }
    thread_start(std::move(thread));
    return tid;
}

namespace {

// Waiters by the word's address in their address space.
struct FutexWaiters {
    SpinLock lock{LockRank::Futex, "futex"};
    Channel channel GUARDED_BY(lock);
    uint64_t wakes GUARDED_BY(lock) = 0;    // tells a sleeper that looked without the lock whether it is late
};
constexpr size_t bucket_count = 64;
FutexWaiters buckets[bucket_count];

FutexWaiters& bucket_of(UserAddr word) {
    uint64_t key = word.value / sizeof(uint32_t) + reinterpret_cast<uint64_t>(cpu::current_thread()->task->space.get()) / 64;
    return buckets[key % bucket_count];
}

void wake(FutexWaiters& bucket) {
    SpinGuard guard(bucket.lock);
    ++bucket.wakes;
    wake_all(bucket.channel);
}

}  // namespace

Result<uint64_t> sys_thread_exit(UserFrame& frame) {
    UserAddr word(frame.x[0]);
    if (current_uthread().loan) {
        return Error::Invalid;
    }
    if (!word.null()) {
        uint32_t zero = 0;
        if (copy_out_value(word, zero).ok()) {
            wake(bucket_of(word));
        }
    }
    thread_terminate();
}

// A word in memory that has `expected` in it: sleep until a wake, a signal or the timeout. Buckets are shared by many words,
// so sleepers may be woken for another word's sake: programs look again, as they must anyway.
Result<uint64_t> sys_futex_wait(UserFrame& frame) {
    UserAddr word(frame.x[0]);
    auto expected = static_cast<uint32_t>(frame.x[1]);
    UserAddr timeout_at(frame.x[2]);
    if (word.value % sizeof(uint32_t) != 0) {
        return Error::Invalid;
    }
    ParkOptions options{.interruptible = true};
    if (!timeout_at.null()) {
        auto timeout = TRY(copy_in_value<ForkloreTime>(timeout_at));
        options.deadline = machine_clock::now() + TRY(nanoseconds_asked(timeout));
    }
    FutexWaiters& bucket = bucket_of(word);
    for (;;) {
        // The word can not be read under the lock, for its page may have to be made.
        uint32_t value = 0;
        uint64_t seen = 0;
        {
            SpinGuard guard(bucket.lock);
            seen = bucket.wakes;
        }
        if (!user_access::load_word(word, value)) {
            return Error::BadAddress;
        }
        if (value != expected) {
            return Error::TryAgain;
        }
        SpinGuard guard(bucket.lock);
        if (bucket.wakes != seen) {
            continue;               // a wake came in between: the word may have changed before it
        }
        switch (park(bucket.channel, bucket.lock, options)) {
        case WakeReason::Interrupted:
            return Error::Interrupted;
        case WakeReason::TimedOut:
            return Error::TimedOut;
        case WakeReason::Woken:
            return 0;
        }
    }
}

Result<uint64_t> sys_futex_wake(UserFrame& frame) {
    UserAddr word(frame.x[0]);
    if (word.value % sizeof(uint32_t) != 0) {
        return Error::Invalid;
    }
    wake(bucket_of(word));
    return 0;
}
