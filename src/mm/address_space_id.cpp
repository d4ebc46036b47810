// Dealing out address-space ids. See address_space_id.h.
#include "mm/address_space_id.h"

#include "machine/spin_lock.h"

namespace {

constexpr unsigned asid_width = 16;     // of a context's lower part

constinit SpinLock asids{LockRank::AddressSpaceIds, "address-space ids"};
constinit std::atomic<uint64_t> present_generation{1};
// The contexts whose tables a core has active: one, 0 for none; and the one before, until the core has really left it, because
// up to then it may fetch translations of it, speculatively too. Written by that core alone.
struct Active {
    std::atomic<uint64_t> now{0}, leaving{0};
};
constinit Active active[max_cores]{};

// The next number, and the contexts that were running when the generation began: whole ones, because a space that has slept
// since an older generation may bear the number of one of them.
constinit uint64_t next_asid GUARDED_BY(asids) = 1;
constinit uint64_t kept[2 * max_cores] GUARDED_BY(asids) = {};

uint64_t number_of(uint64_t context) { return context & ((1u << asid_width) - 1); }
uint64_t generation_of(uint64_t context) { return context >> asid_width; }

// The space of this context was running when the generation began: its number is its own in this one too.
bool is_kept(uint64_t context) REQUIRES(asids) {
    for (uint64_t one : kept) {
        if (one == context) {
            return true;
        }
    }
    return false;
}

bool number_is_kept(uint64_t asid) REQUIRES(asids) {
    for (uint64_t one : kept) {
        if (number_of(one) == asid) {
            return true;
        }
    }
    return false;
}

// The order matters: a core that activates a context writes active[].now and then reads the generation; here it is the
// other way round. So either this sees the context, or that core sees the new generation and asks for a number. `leaving`
// was written before `now`: who sees the new one there sees the old one here, unless the core has left it.
void begin_generation() REQUIRES(asids) {
    present_generation.fetch_add(1, std::memory_order_seq_cst);
    for (unsigned core = 0; core < max_cores; ++core) {
        kept[2 * core] = active[core].now.load(std::memory_order_seq_cst);
        kept[2 * core + 1] = active[core].leaving.load(std::memory_order_seq_cst);
    }
    next_asid = 1;
    mmu::invalidate_all();
}

// A context of the present generation for a space that had `old`: the same number if it was running.
uint64_t deal(uint64_t old) REQUIRES(asids) {
    uint64_t generation = present_generation.load(std::memory_order_relaxed);
    if (old != 0 && (generation_of(old) == generation || is_kept(old))) {
        return generation << asid_width | number_of(old);
    }
    for (;;) {
        if (next_asid == uint64_t{1} << mmu::asid_bits()) {
            begin_generation();
            generation = present_generation.load(std::memory_order_relaxed);
            if (old != 0 && is_kept(old)) {
                return generation << asid_width | number_of(old);
            }
        }
        if (uint64_t asid = next_asid++; !number_is_kept(asid)) {
            return generation << asid_width | asid;
        }
    }
}

}  // namespace

void AddressSpaceId::activate(PhysAddr root) {
    Active& here = of_this_core(active);
    uint64_t context = context_.load(std::memory_order_relaxed);
    const uint64_t before = here.now.load(std::memory_order_relaxed);
    const bool dealt = generation_of(context) == present_generation.load(std::memory_order_relaxed);
    if (dealt && before == context) {
        return;
    }
    here.leaving.store(before, std::memory_order_relaxed);
    if (dealt) [[likely]] {
        here.now.store(context, std::memory_order_seq_cst);
        if (generation_of(context) == present_generation.load(std::memory_order_seq_cst)) [[likely]] {
            mmu::activate(root, static_cast<mmu::Asid>(number_of(context)));
            here.leaving.store(0, std::memory_order_relaxed);
            return;
        }
    }
    SpinGuard guard(asids);
    context = deal(context_.load(std::memory_order_relaxed));
    context_.store(context, std::memory_order_relaxed);
    here.now.store(context, std::memory_order_relaxed);
    mmu::entries_written();     // whoever changes an entry from now on finds the new number: see forget_page
    mmu::activate(root, static_cast<mmu::Asid>(number_of(context)));
    here.leaving.store(0, std::memory_order_relaxed);
}

void AddressSpaceId::activate_none() {
    mmu::activate_none();
    active[cpu::current().id].now.store(0, std::memory_order_relaxed);      // not before the core has left it
}

void AddressSpaceId::retire() {
    uint64_t context = context_.load(std::memory_order_relaxed);
    if (context == 0) {
        return;
    }
    InterruptGuard off;
    if (active[cpu::current().id].now.load(std::memory_order_relaxed) == context) {
        activate_none();
    }
    for (const Active& other : active) {
        if (other.now.load(std::memory_order_relaxed) == context) {
            panic("an address space ends that another core has active", context);
        }
    }
}

// The entry is written before the number is read: a core that gets a number later sees the new entry.
void AddressSpaceId::forget_page(UserAddr address) const {
    mmu::entries_written();
    if (mmu::Asid number = asid(); number != 0) {
        mmu::invalidate_page(address, number);
    }
}

void AddressSpaceId::forget_all() const {
    mmu::entries_written();
    if (mmu::Asid number = asid(); number != 0) {
        mmu::invalidate_space(number);
    }
}

uint64_t AddressSpaceId::generation() { return present_generation.load(std::memory_order_relaxed); }
