// ProcWatch: somebody wants to know when a process forks, execs or exits. Counterpart in the original: p_klist, proc_knote.
//
// Lock: families_lock for all of it. A process that is gone has no watches: each ends with the exit that it tells of.
#pragma once

#include "abi/forklore.h"
#include "base/list.h"
#include "base/result.h"
#include "base/thread_safety.h"
#include "base/types.h"
#include "machine/spin_lock.h"

class Proc;
extern SpinLock families_lock;

class ProcWatch {
public:
    ~ProcWatch() { stop(); }

    // From now on; `wanted` are FL_NOTE_*. NoProcess: there is none of that number, or it ended.
    Result<> start(Pid pid, uint32_t wanted) EXCLUDES(families_lock);
    void stop() EXCLUDES(families_lock);

    // What happened since the last time, and to whom: the newest child's pid, or the wait status. 0: nothing.
    struct Happened {
        uint32_t what = 0;
        int64_t data = 0;
    };
    Happened take() EXCLUDES(families_lock);
    bool anything() EXCLUDES(families_lock);

    ListNode link;                  // Proc::watches

private:
    friend void tell_watchers_locked(Proc&, uint32_t, int64_t);
    Proc* proc_ = nullptr;          // none before the start and after the exit
    uint32_t wanted_ = 0;
    Happened happened_;
};

// The process did that: called where it is done. Exit ends the watches.
void tell_watchers_locked(Proc& proc, uint32_t what, int64_t data) REQUIRES(families_lock);
