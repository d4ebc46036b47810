// Events of a process's life: points at which somebody may listen. None listens as a rule, which costs a load and a branch.
//
// The actor is who did it: making a child counts for the parent, also while the parent's thread already runs as the child.
// Counterpart in the original: proc_knote(NOTE_FORK | pid), and the probes proc:::create, exec and exit.
#pragma once

#include <atomic>

#include "base/types.h"

enum class ProcEvent : uint8_t {
    Fork,       // actor made subject; the child can be found and does not run yet
    Create,     // the same, for probes: after Fork
    Exec,       // the actor runs another program now
    Exit,       // the actor begins to end
};

// Called by the thread that acts, for Fork and Create with families_lock held, else without a lock; must not sleep.
using ProcListener = void (*)(ProcEvent event, Pid actor, Pid subject);
inline std::atomic<ProcListener> proc_listener{nullptr};

inline void proc_event(ProcEvent event, Pid actor, Pid subject) {
    if (ProcListener listener = proc_listener.load(std::memory_order_acquire)) [[unlikely]] {
        listener(event, actor, subject);
    }
}
