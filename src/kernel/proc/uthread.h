// UThread: the Unix half of a thread: signal mask, working directory, assumed identity and, while it is lent, the loan.
//
// Only its own thread touches it, but for what is marked; it lives as long as its thread does. Counterpart: struct uthread.
#pragma once

#include <optional>

#include "kernel/fs/vnode.h"
#include "kernel/proc/credentials.h"
#include "kernel/proc/loan.h"
#include "kernel/proc/signal.h"
#include "kernel/thread.h"

// A worker takes no signals that were meant for the program, but for those that its own instructions raise.
inline constexpr SignalSet worker_mask =
    ~(unblockable_signals | signal_bit(FL_SIGSEGV) | signal_bit(FL_SIGBUS) | signal_bit(FL_SIGILL) | signal_bit(FL_SIGFPE) |
      signal_bit(FL_SIGTRAP) | signal_bit(FL_SIGABRT));

inline constexpr ForkloreSignalStack no_signal_stack{.base = 0, .flags = FL_SS_DISABLE, .reserved = 0, .size = 0};

struct UThreadOptions {
    bool inherit = true;    // else a worker: worker_mask, and the identity of the process
};

struct UThread {
    static Zone& zone();

    explicit UThread(Thread& its_thread, Proc& its_proc) : thread(its_thread), proc(&its_proc), loan(its_proc) {}

    Thread& thread;
    Proc* proc;                     // of the task; while lent, the loan's child is current_proc()
    // Guarded by current_proc()'s signals.lock.
    SignalSet mask = 0;
    SignalSet pending = 0;
    ForkloreSiginfo fault{};        // of a pending signal that this thread raised by a fault
    bool restarts_call = false;     // the frame stands before a system call that a signal interrupted
    std::optional<SignalSet> mask_before_suspend;   // sigsuspend is under way: what to restore

    ForkloreSignalStack alternate = no_signal_stack;    // for handlers that want it

    Ref<Credentials> assumed;       // the thread's own identity, if it took one
    Ref<Vnode> directory;           // the thread's own, if it took one
    OptionalLoan loan;              // present while the thread runs as the child of its vfork
};

// The Unix half for `thread`, which will belong to `proc`. `from` is the thread that makes it, if one does (the current one:
// no lock is needed to read it): its mask is inherited, the saved one if a suspend is under way; its assumed identity only
// within one process, its alternate signal stack only into another. It joins the process's threads with Task::add. The
// caller owns it until Thread::uthread has it; the end of the thread (exit.cpp) frees it. NoMemory.
Result<ZoneOwned<UThread>> uthread_alloc(Thread& thread, Proc& proc, const UThread* from, UThreadOptions options = {});
// Before the current thread ends, and in this order: ends a loan (the child is killed), drops the directory, hands its pending
// signals that the process does not ignore to the process, drops the assumed identity. It is in no wait: it runs. No lock held.
void uthread_cleanup(UThread& uthread);
