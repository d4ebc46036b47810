// The counter behind the failpoints.
#include "base/failpoint.h"

namespace failpoint {
namespace {
std::atomic<uint64_t> asked{0};
std::atomic<uint64_t> failing{0};
}  // namespace

bool count_step() { return asked.fetch_add(1, std::memory_order_relaxed) == failing.load(std::memory_order_relaxed); }

void arm(uint64_t step) {
    asked.store(0, std::memory_order_relaxed);
    failing.store(step, std::memory_order_relaxed);
    armed.store(true, std::memory_order_release);
}

void disarm() { armed.store(false, std::memory_order_release); }

uint64_t steps() { return asked.load(std::memory_order_relaxed); }

}  // namespace failpoint
