// Where parts meet that must not know each other: what a level declares and a higher or sideways one provides.
#pragma once

#include <cstdint>

// On core 0, after devices::start(): handlers, hooks, core 0's interrupt lines.
void join_parts();
// The calling core's interrupt lines; interrupts off.
void join_core();
// pages::reclaim.
bool reclaim_memory();
// Ends the run with status 124 after so many seconds; 0: never.
void start_timeout(uint32_t seconds);
