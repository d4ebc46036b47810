// One piece of work on four cores at once: threads of the host under TSan, threads of the kernel on the machine.
#pragma once

inline constexpr int four_cores = 4;

// Runs `work(argument, core's number from 0)` four times at once and waits for all. Workers never check and allocate nothing
// but what they test.
void run_on_four_cores(void (*work)(const void*, int), const void* argument);

template <typename Work>
void on_four_cores(const Work& work) {
    run_on_four_cores([](const void* argument, int worker) { (*static_cast<const Work*>(argument))(worker); }, &work);
}
