// Breaking the kernel on purpose, to see how it ends: boot argument fault=.
#pragma once

#include <string_view>

// The kinds: panic, locks, twice, nested, read, text, execute, undefined, stack, order, deadlock, mutex,
// freed (found with freed=check or SAN=1); overflow, index, global, array, frame, copy (found with SAN=1). Starts a thread
// that does it as soon as the other cores run; reports a kind that it does not know.
void start_deliberate_fault(std::string_view kind);
