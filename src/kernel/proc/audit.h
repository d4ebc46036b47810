// Audit: who made, changed and ended which process, as records in a ring that root reads.
//
// Off until root turns it on; then a point costs a load and a branch. A full ring goes on with its oldest record; records are
// numbered without a gap, so that a reader sees how many it lost. Lock: `audit_lock`, in audit.cpp. Counterpart in the original:
// the AUDIT_ARG and AUDIT_SESSION points of fork1, audit.c, audit_session.c.
#pragma once

#include <atomic>

#include "abi/forklore.h"
#include "kernel/proc/proc.h"

namespace audit {

inline std::atomic<bool> on{false};

// The point behind event(). A record tells who the actor is now: its name, user and audit identity.
void write(ForkloreAuditEvent event, Proc& actor, int subject, int argument);

// `subject` and `argument`: see ForkloreAuditEvent. With no lock above Families held.
inline void event(ForkloreAuditEvent event, Proc& actor, int subject = 0, int argument = 0) {
    if (on.load(std::memory_order_relaxed)) [[unlikely]] {
        write(event, actor, subject, argument);
    }
}

}  // namespace audit
