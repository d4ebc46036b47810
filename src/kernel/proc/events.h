// Events of a process's life: points at which somebody may listen. None listens as a rule, which costs a load and a branch.
//
// The actor is who did it: making a child counts for the parent, also while the parent's thread already runs as the child.
// Counterpart in the original: proc_knote(NOTE_FORK | pid), and the probes proc:::create,
// exec, exit, lend and return.
#pragma once

#include <atomic>

#include "base/types.h"

enum class ProcEvent : uint8_t {
    Fork,       // actor made subject; the child can be found and does not run yet
    Create,     // the same, for probes: after Fork
    Lend,       // the actor's thread runs as subject, its child: after Create
    Exec,       // the actor runs another program now
    Return,     // the actor, which borrowed its thread, needs it no more: after Exec or Exit
    Exit,       // the actor begins to end
    Reap,       // the actor collected subject, which nobody can find any more
};

// Called by the thread that acts, for Fork, Create and Lend with families_lock held, else without a lock; must not sleep.
using ProcListener = void (*)(ProcEvent event, Pid actor, Pid subject);
inline std::atomic<ProcListener> proc_listener{nullptr};

inline void proc_event(ProcEvent event, Pid actor, Pid subject) {
    if (ProcListener listener = proc_listener.load(std::memory_order_acquire)) [[unlikely]] {
        listener(event, actor, subject);
    }
}
