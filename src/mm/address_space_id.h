// Address-space ids: the short numbers by which the TLBs keep address spaces apart, dealt out when a space first
// runs. When they run out, a new generation begins: all TLBs are emptied, and each space gets a new number the next
// time it runs; those that are running on some core keep theirs.
// Lock: `asids` (LockRank::AddressSpaceIds) to deal; activating a space of the present generation takes none.
#pragma once

#include <atomic>

#include "machine/mmu.h"

class AddressSpaceId {
public:
    AddressSpaceId() = default;
    AddressSpaceId(const AddressSpaceId&) = delete;

    // Makes `root` with this id the user half of this core. Interrupts off.
    void activate(PhysAddr root);
    // This core stops using it, if it does; no other core may be using it. Before the tables go away.
    void retire();

    // After a valid entry of its tables was changed: all cores forget what they cached of a page, or of the space.
    void forget_page(UserAddr address) const;
    void forget_all() const;
    // The number under which some core may have cached translations; 0 if none can have any.
    mmu::Asid asid() const { return static_cast<mmu::Asid>(context_.load(std::memory_order_relaxed)); }

    // This core has no user half from now on. Interrupts off.
    static void activate_none();
    static uint64_t generation();

private:
    // generation << 16 | asid; 0: never dealt.
    std::atomic<uint64_t> context_{0};
};
