// The green light: a heartbeat while the scheduler gives turns, a code when the kernel has crashed. Only with the boot argument
// `heartbeat`: an emulator's guest that is asleep shall sleep.
#pragma once

// A short flash each second, by a thread of its own.
void start_heartbeat();

// Three times: so many short flashes, then a pause. From a panic: the other cores have stopped, nothing is waited for but time.
void blink_code(unsigned flashes);
inline constexpr unsigned flashes_of_panic = 3, flashes_of_exception = 4;
