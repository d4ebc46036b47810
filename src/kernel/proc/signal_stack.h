// The alternate stack: where a thread runs the handlers that ask for it (FL_SA_ONSTACK).
#pragma once

#include "kernel/proc/uthread.h"

// Whether `sp` lies on the thread's alternate stack, so that a handler runs on it now.
bool on_alternate_stack(const UThread& uthread, uint64_t sp);
// Where the frame of a handler with these flags goes: below this.
uint64_t handler_stack(const UThread& uthread, uint64_t sp, uint32_t action_flags);
