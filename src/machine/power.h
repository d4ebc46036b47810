// The end of a run, and the next one.
#pragma once

namespace power {

// Called before the last words: lets what was printed leave, and the other cores fall silent. boot/main.cpp fills it in.
inline void (*before_end)() = nullptr;
// The machine never halts: each end starts it again, so that its loader takes the next run without anybody at the switch.
inline bool reset_at_end = false;

// Says `forklore: power off, status N`, which is the machine's verdict for who started it, and ends. Any context.
[[noreturn]] void off(unsigned status);
// Says `forklore: restart` and starts the machine again.
[[noreturn]] void restart();
// Ends without a word, as restart() with `reset`; for a panic that has said its own.
[[noreturn]] void end(bool reset);

}  // namespace power
