// The pages behind a shared anonymous mapping: made when some process touches them first, the same for all of them.
// Lock: its own spin lock (LockRank::SharedMemory).
#pragma once

#include "mm/address_space.h"

class SharedMemory final : public PageSource, public RefCounted {
public:
    // NoMemory. The caller owns the reference.
    static Result<Ref<SharedMemory>> create(PageCount size);
    static Result<> init();     // makes the zone
    void last_reference_gone();

    Result<PhysAddr> page(uint64_t index) override;
    void ref_source() override { ref(); }
    void unref_source() override {
        if (unref()) {
            last_reference_gone();
        }
    }
    static Zone& zone();
    SharedMemory(PageCount size, PageTable table) : size_(size), pages_(std::move(table)) {}
    ~SharedMemory() = default;

private:
    const PageCount size_;
    SpinLock lock_{LockRank::SharedMemory, "shared memory"};
    PageTable pages_ GUARDED_BY(lock_);     // never active: a tree of pages by index
};
