// Kernel stacks under the explorer: global memory, which is put back for each schedule. Threads run elsewhere; what lies here
// is their programs' registers.
#include "kernel/stack.h"

#include "base/failpoint.h"
#include "explorer/engine/engine.h"

namespace {

constexpr size_t count = 64;
alignas(16) char memory[count][kernel_stack_size];
bool taken[count];
size_t live = 0;

size_t first_free() {
    size_t i = 0;
    while (i < count && taken[i]) {
        ++i;
    }
    return i;
}

}  // namespace

Result<KernelStack> KernelStack::allocate() {
    if (failpoint::should_fail()) {
        return Error::NoMemory;
    }
    explorer::point("take a kernel stack");
    explorer::Unwatched unwatched;
    const size_t i = first_free();
    if (i == count) {
        return Error::NoMemory;
    }
    taken[i] = true;
    ++live;
    return KernelStack(KernAddr(reinterpret_cast<uint64_t>(memory[i]) + kernel_stack_size));
}

KernelStack::~KernelStack() {
    if (top_ != KernAddr{}) {
        explorer::Unwatched unwatched;
        taken[(bottom().value - reinterpret_cast<uint64_t>(memory)) / kernel_stack_size] = false;
        --live;
    }
}

PageCount stacks_reclaim() { return PageCount(0); }
StackStats stack_stats() { return {.live = live, .waiting = 0}; }
