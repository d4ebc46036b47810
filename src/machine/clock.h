// Time since power-on and this core's alarm.
#pragma once

#include "base/types.h"

namespace machine_clock {

Nanoseconds now();                      // monotonic, the same on all cores
// Asks for a timer interrupt on this core at `deadline` (absolute; `never` for none). Interrupts off.
void set_deadline(Nanoseconds deadline);

}  // namespace machine_clock

#include "machine_inline/clock.h"
