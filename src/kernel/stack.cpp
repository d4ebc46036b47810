// Kernel stacks on the Pi: slots of 32 KiB in a region of their own, the guard in the lower half, the stack in the
// upper one, so that bit 14 of a stack pointer tells whether it has left its stack (boot/vectors.S looks).
//
// A slot is in use while it is mapped: by a thread, or waiting. Waiting stacks are a list through their own memory.
// Lock: `stacks` (LockRank::KernelStacks).
#include "kernel/stack.h"

#include "base/bitmap.h"
#include "base/failpoint.h"
#include "machine/rpi3/kernel_map.h"
#include "machine/rpi3/layout.h"
#include "machine/spin_lock.h"
#include "mm/page.h"

namespace {

constexpr size_t slot_count = 32'768;       // 512 MiB of stacks
constexpr size_t pages_each = kernel_stack_size / page_size;
static_assert(layout::stack_slot == 2 * kernel_stack_size);

struct WaitingStack {
    WaitingStack* next;
};

SpinLock lock{LockRank::KernelStacks, "stacks"};
uint64_t used_words[Bitmap::words_for(slot_count)] GUARDED_BY(lock);
Bitmap used GUARDED_BY(lock){used_words, slot_count};
WaitingStack* waiting GUARDED_BY(lock) = nullptr;
StackStats stats GUARDED_BY(lock);

KernAddr bottom_of(size_t slot) {
    return KernAddr(layout::kernel_stacks + slot * layout::stack_slot + kernel_stack_size);
}
size_t slot_of(KernAddr bottom) { return (bottom.value - layout::kernel_stacks) / layout::stack_slot; }

Result<PhysAddr> new_table() { return pages::allocate_zeroed(PageUse::PageTable); }

void unmap_pages(KernAddr bottom, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        pages::release(kernel_map::unmap_page(bottom + i * page_size));
    }
}

// The pages of one stack, on their way to its slot.
struct StackPages {
    PageRef page[pages_each];
};

// Without the lock, so that a shortage may be met by giving something else back.
Result<StackPages> allocate_pages() {
    StackPages stack;
    for (PageRef& page : stack.page) {
        page = TRY(PageRef::allocate(PageUse::Kernel));
    }
    return stack;
}

Result<KernAddr> map_stack(StackPages pages_of_stack) REQUIRES(lock) {
    const size_t slot = used.first_clear(0, slot_count);
    if (slot == Bitmap::none) {
        return Error::NoMemory;
    }
    const KernAddr bottom = bottom_of(slot);
    for (size_t i = 0; i < pages_each; ++i) {
        PageRef& page = pages_of_stack.page[i];
        if (!kernel_map::map_page(bottom + i * page_size, page.address(), new_table).ok()) {
            unmap_pages(bottom, i);
            return Error::NoMemory;
        }
        (void)page.release();   // the map's from here
    }
    used.set(slot);
    return bottom;
}

}  // namespace

Result<KernelStack> KernelStack::allocate() {
    if (failpoint::should_fail()) return Error::NoMemory;
    {
        SpinGuard guard(lock);
        if (WaitingStack* stack = waiting) {
            waiting = stack->next;
            --stats.waiting;
            ++stats.live;
            return KernelStack(KernAddr(reinterpret_cast<uint64_t>(stack)) + kernel_stack_size);
        }
    }
    StackPages fresh = TRY(allocate_pages());
    SpinGuard guard(lock);
    const KernAddr bottom = TRY(map_stack(std::move(fresh)));
    ++stats.live;
    return KernelStack(bottom + kernel_stack_size);
}

KernelStack::~KernelStack() {
    if (top_ == KernAddr{}) {
        return;
    }
    auto* stack = reinterpret_cast<WaitingStack*>(bottom().value);
    ram::unpoison(stack, kernel_stack_size);    // frames that never returned
    SpinGuard guard(lock);
    stack->next = waiting;
    waiting = stack;
    ++stats.waiting;
    --stats.live;
}

namespace {

// How many it gave back.
size_t give_back_some() {
    constexpr size_t most = 8;      // interrupts are off meanwhile
    SpinGuard guard(lock);
    size_t given = 0;
    for (; waiting != nullptr && given < most; ++given) {
        const KernAddr bottom(reinterpret_cast<uint64_t>(waiting));
        waiting = waiting->next;
        unmap_pages(bottom, pages_each);
        used.clear(slot_of(bottom));
        --stats.waiting;
    }
    return given;
}

}  // namespace

PageCount stacks_reclaim() {
    size_t given = 0;
    while (const size_t some = give_back_some()) {
        given += some;
    }
    return PageCount(given * pages_each);
}

StackStats stack_stats() {
    SpinGuard guard(lock);
    return stats;
}
