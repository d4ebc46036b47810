// Kernel stacks: 16 KiB, with an unmapped guard of the same size below, so that an overflow faults and harms nobody.
//
// A given-back stack stays mapped and waits for the next thread; stacks_reclaim() unmaps waiting ones. On the host
// a stack is plain memory.
#pragma once

#include <utility>

#include "base/result.h"
#include "base/types.h"

inline constexpr size_t kernel_stack_size = 16384;

// Owns one stack. Default-made, it owns none.
class [[nodiscard]] KernelStack {
public:
    static Result<KernelStack> allocate();      // NoMemory

    KernelStack() = default;
    KernelStack(KernelStack&& other) : top_(std::exchange(other.top_, KernAddr{})) {}
    KernelStack& operator=(KernelStack&& other) {
        std::swap(top_, other.top_);
        return *this;
    }
    ~KernelStack();

    KernAddr top() const { return top_; }       // the first address beyond it; 16-byte aligned
    KernAddr bottom() const { return top_ - kernel_stack_size; }

private:
    explicit KernelStack(KernAddr top) : top_(top) {}
    KernAddr top_{};
};

PageCount stacks_reclaim();                     // pages given back
struct StackStats { size_t live = 0, waiting = 0; };
StackStats stack_stats();
