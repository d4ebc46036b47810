// Pages of an address space: made when they are touched, copied when they are written. See address_space.h.
//
//     absent --read--> file page, read-only, copy-on-write --write--> private page
//     absent --touch, anonymous--> private page --fork--> copy-on-write in both --write--> private page again
#include "mm/address_space.h"

namespace {

// A page that will be executed must be seen by the instruction fetch as it is in memory.
void prepare_to_run(PhysAddr page, Protection protection) {
    if (protection.execute) {
        cpu::instructions_changed(ram::at<void>(page), page_size);
    }
}

}  // namespace

Result<> AddressSpace::handle_fault(UserAddr address, Access access) {
    MutexGuard guard(mutex_);
    // The usual fault is the first touch of anonymous memory in the region of the last one.
    if (const Region* region = last_found_; region != nullptr && region->contains(address) && region->fresh.allows(access)) {
        Descriptor* entry = tables_.find(address);
        if (entry == nullptr || !entry->valid()) [[likely]] {
            return map_fresh(address.page_down(), entry, region->fresh);
        }
    }
    return address < user_end ? fault_locked(address, access, false) : Error::BadAddress;
}

// A page of zeros; `entry` is the place for it if its table exists.
inline Result<> AddressSpace::map_fresh(UserAddr page, Descriptor* entry, Descriptor fresh) {
    const PhysAddr frame = TRY(pages::allocate_zeroed(PageUse::Anonymous));
    if (entry == nullptr) [[unlikely]] {
        Result<Descriptor*> made = tables_.ensure(page);
        if (!made.ok()) {
            pages::release(frame);
            return made.error();
        }
        entry = made.value();
    }
    tables_.fill(*entry, fresh.with_frame(frame));
    return {};
}

Result<> AddressSpace::fault_locked(UserAddr address, Access access, bool force) {
    Region& region = *TRY(region_for(address, access, force));
    UserAddr page = address.page_down();
    Descriptor* entry = tables_.find(page);
    if (entry == nullptr || !entry->valid()) {
        return page_in(region, page, entry, access);
    }
    if (access == Access::Write && entry->copy_on_write()) {
        return make_private(region, page, *entry);
    }
    return {};      // another thread of the program was faster
}

Result<Region*> AddressSpace::region_for(UserAddr address, Access access, bool force) {
    Region* region = find_region(address);
    if (region == nullptr) [[unlikely]] {
        region = TRY(grow_stack(address));
    }
    if (!force && !region->protection.allows(access)) {
        return Error::AccessDenied;
    }
    return region;
}

// A stack reaches down to `address` if its limit allows it and the gap below it stays free.
Result<Region*> AddressSpace::grow_stack(UserAddr address) {
    Region* stack = first_ending_after(address);
    if (stack == nullptr || stack->kind != RegionKind::Stack) {
        return Error::BadAddress;
    }
    UserAddr start = address.page_down();
    uint64_t growth = stack->start - start;
    if (stack->end - start > limits_.stack || growth > limits_.total || mapped_ > limits_.total - growth) {
        return Error::BadAddress;
    }
    if (start.value < lowest.value + stack_gap) {
        return Error::BadAddress;
    }
    if (Region* below = first_ending_after(start - stack_gap); below != stack) {
        return Error::BadAddress;
    }
    stack->start = start;
    mapped_ += growth;
    return stack;
}

// `entry` is the place for it if its table exists, as it mostly does.
Result<> AddressSpace::page_in(Region& region, UserAddr page, Descriptor* entry, Access access) {
    if (region.kind == RegionKind::Source) {
        return source_page_in(region, page, access);
    }
    if (region.fresh.valid()) {
        return map_fresh(page, entry, region.fresh);
    }
    PageRef zeros = TRY(PageRef::allocate_zeroed(PageUse::Anonymous));
    prepare_to_run(zeros.address(), region.protection);
    return tables_.map(page, std::move(zeros), region.protection, false, false);
}

// A private mapping uses the source's own page until it is written; a shared one for ever.
Result<> AddressSpace::source_page_in(Region& region, UserAddr page, Access access) {
    uint64_t index = region.first_page + ((page - region.start) >> page_shift);
    PageRef content = PageRef::adopt(TRY(region.source->page(index)));
    if (!region.shared && access == Access::Write) {
        PageRef copy = TRY(PageRef::allocate(PageUse::Anonymous));
        ram::copy_page(copy.at<void>(), content.at<void>());
        content = std::move(copy);
        prepare_to_run(content.address(), region.protection);
        return tables_.map(page, std::move(content), region.protection, false, false);
    }
    prepare_to_run(content.address(), region.protection);
    return tables_.map(page, std::move(content), region.protection, region.shared, !region.shared);
}

// The page becomes ours alone, by a copy unless it is already. Only this space can add references to a page that
// nobody else has: with the mutex held, a count of one stays one.
Result<> AddressSpace::make_private(Region& region, UserAddr page, Descriptor& entry) {
    PhysAddr old = entry.address();
    if (pages::frame_of(old).references.load(std::memory_order_acquire) == 1) {
        tables_.change(page, entry, Descriptor::user_page(old, region.protection, false, false), id_);
        return {};
    }
    PageRef copy = TRY(PageRef::allocate(PageUse::Anonymous));
    ram::copy_page(copy.at<void>(), ram::at<void>(old));
    prepare_to_run(copy.address(), region.protection);
    tables_.replace(page, entry, Descriptor::user_page(copy.release(), region.protection, false, false), id_);
    return {};
}

// --- from outside ---

// Calls use(pointer, bytes, done) for each piece of the range that lies in one page, which is there by then.
template <typename Use>
Result<> AddressSpace::for_each_piece(UserAddr start, size_t bytes, Access access, bool force, Use use) {
    if (start > user_end || bytes > user_end - start) {
        return Error::BadAddress;
    }
    for (size_t done = 0; done < bytes;) {
        UserAddr at = start + done;
        size_t piece = page_size - at.page_offset() < bytes - done ? page_size - at.page_offset() : bytes - done;
        MutexGuard guard(mutex_);
        TRY(fault_locked(at, access, force));
        Descriptor entry = *tables_.find(at);
        char* memory = ram::at<char>(entry.address() + at.page_offset());
        use(memory, piece, done);
        if (access == Access::Write && entry.user_executable()) {
            cpu::instructions_changed(memory, piece);
        }
        done += piece;
    }
    return {};
}

Result<> AddressSpace::store(UserAddr to, const void* from, size_t bytes, bool force) {
    return for_each_piece(to, bytes, Access::Write, force, [from](char* memory, size_t piece, size_t done) {
        __builtin_memcpy(memory, static_cast<const char*>(from) + done, piece);
    });
}

Result<> AddressSpace::load(void* to, UserAddr from, size_t bytes) {
    return for_each_piece(from, bytes, Access::Read, false, [to](char* memory, size_t piece, size_t done) {
        __builtin_memcpy(static_cast<char*>(to) + done, memory, piece);
    });
}

Result<> AddressSpace::clear(UserAddr to, size_t bytes, bool force) {
    return for_each_piece(to, bytes, Access::Write, force,
                          [](char* memory, size_t piece, size_t) { __builtin_memset(memory, 0, piece); });
}
