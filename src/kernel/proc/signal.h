// Signals: what is pending, who takes it, what it does. The POSIX rules, on BSD's bones.
//
// A signal is pending for a process or for one of its threads. The receiver is told by ReturnWork::Signal and takes it
// on its way back to its program. Lock: Proc::signals.lock guards the process's half, its threads' pending sets and masks.
#pragma once

#include "abi/forklore.h"
#include "base/result.h"
#include "base/types.h"
#include "machine/park.h"
#include "machine/user_frame.h"
#include "mm/zone.h"

class Proc;
class Thread;

using SignalSet = uint32_t;
constexpr SignalSet signal_bit(int signal) { return SignalSet{1} << signal; }
constexpr bool signal_valid(int signal) { return signal > 0 && signal < FORKLORE_NSIG; }
inline constexpr SignalSet unblockable_signals = signal_bit(FL_SIGKILL) | signal_bit(FL_SIGSTOP);
inline constexpr SignalSet stop_signals =
    signal_bit(FL_SIGSTOP) | signal_bit(FL_SIGTSTP) | signal_bit(FL_SIGTTIN) | signal_bit(FL_SIGTTOU);

// "sigacts" of the original: duplicated by fork, reset in part by exec.
class SignalActions {
public:
    static Zone& zone();
    // Left as the memory was: fork writes all of them, and the first process asks for zeroes, which are the defaults.
    SignalActions() {}
    ForkloreSigaction actions[FORKLORE_NSIG];
};

enum class SignalDefault : uint8_t { Terminate, Ignore, Stop, Continue };
SignalDefault signal_default(int signal);

struct SignalState {
    SpinLock lock{LockRank::Signals, "signals"};
    SignalSet pending GUARDED_BY(lock) = 0;         // for any thread
    ForkloreSiginfo info[FORKLORE_NSIG] GUARDED_BY(lock);   // of each pending signal, the newest sender
    ZoneOwned<SignalActions> actions GUARDED_BY(lock);
    Channel resumed GUARDED_BY(lock);               // stopped threads sleep here
    bool stopped GUARDED_BY(lock) = false;
};

// Makes a signal pending for the process and tells a thread of it. Any context without a lock at or above Signals.
void signal_process(Proc& proc, const ForkloreSiginfo& info);
// The same for one thread, from itself: a fault. If it is blocked or ignored it ends the process all the same.
void signal_fault(int signal, int code, UserAddr address);

// Takes every deliverable signal of the current thread: runs its default or prepares the handler's frame. Returns when
// none is left; does not return if one ends the process.
void deliver_signals(UserFrame& frame);

// exec: handlers go back to the default, ignored signals stay ignored.
void signal_actions_for_exec(Proc& proc);

Result<uint64_t> sys_kill(UserFrame& frame);
Result<uint64_t> sys_sigaction(UserFrame& frame);
Result<uint64_t> sys_sigprocmask(UserFrame& frame);
Result<uint64_t> sys_sigpending(UserFrame& frame);
Result<uint64_t> sys_sigreturn(UserFrame& frame);
