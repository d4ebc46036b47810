// Failure on demand: the n-th step that can fail, fails. Off, it costs a load and a branch.
//
// Each function that takes a resource asks should_fail() once, first. A test arms it with 0, 1, 2, ... until
// the call under test succeeds; the number of steps that were asked is then steps().
#pragma once

#include <atomic>
#include <cstdint>

namespace failpoint {

inline std::atomic<uint32_t> armed{0};     // or 1; a whole word, which is compared with 0 as it is
bool count_step();      // true if this is the step that fails

[[nodiscard]] inline bool should_fail() {
    return armed.load(std::memory_order_relaxed) != 0 && count_step();
}

void arm(uint64_t step);    // step 0 is the next one
void disarm();
uint64_t steps();           // asked since arm()

}  // namespace failpoint
