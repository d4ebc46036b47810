// Memory pressure: no page is left, not even after reclaiming. A process ends, so that the others go on.
//
// It is the one of the lowest band, of one band the one with the most memory; never the kernel's, never init. Nobody else
// is ended while somebody is on the way out. Lock: families_lock guards Proc::memory_band and Proc::ended_for_memory.
// Counterpart in the original: memorystatus (jetsam), which ends processes before memory is used up; here a call that finds
// none can say so.
#pragma once

#include "kernel/proc/proc.h"
#include "machine/user_frame.h"

// Who wants memory. A page fault has nobody to tell that there is none: anybody may be ended for it, also its own process.
// A call can say NoMemory: only processes of a lower band than the caller's are ended for it.
enum class MemoryNeed { Fault, Call };

// True: somebody gave memory back, another try is worth it. False: there is nobody to end, or the current thread has to end
// itself, or the other one does not get to its end (it may want a mutex that the caller holds). May sleep; where that is
// not possible (a spin lock held, interrupts off, no process) it returns false at once.
bool relieve_memory_pressure(MemoryNeed need);

// What it has of memory of its own, about: none on loan, where it runs in its lender's, and from exit on.
PageCount resident_pages_locked(Proc& proc) REQUIRES(proc.signals.lock);

// A child starts in its parent's band, but in none above the default: nobody leaves a low band by forking.
void inherit_memory_band_locked(Proc& child, const Proc& parent);
