// fork's copy of a range of pages: page by page, or shared until somebody writes. The contract is page_table_copy.h.
//
// What a child's entry will be is decided first, with the reference that it holds in the hand of an owner; writing the
// entry and counting it is one step that can not fail. So whatever the child has is counted, whenever we stop.
#include "mm/page_table_copy.h"

#include "machine/cpu.h"

namespace {

// A page with the reference that belongs to an entry, and the entry.
struct ChildPage {
    PageRef page;
    Descriptor entry;
};

Descriptor with_other_frame(Descriptor entry, PhysAddr page) {
    return Descriptor{entry.bits & ~Descriptor::Frame::mask}.with_frame(page);
}

// Also for a page that nobody may write now: it may become writable by mprotect, on either side.
Descriptor marked_copy_on_write(Descriptor entry) {
    return {entry.bits | Descriptor::ReadOnly::mask | Descriptor::CopyOnWrite::mask};
}

ChildPage share_page(Descriptor entry) { return {PageRef::share(entry.address()), entry}; }

Result<ChildPage> copy_page(Descriptor entry) {
    PageRef copy = TRY(PageRef::allocate(PageUse::Anonymous));
    ram::copy_page(copy.at<void>(), ram::at<void>(entry.address()));
    if (entry.user_executable()) {
        cpu::instructions_changed(copy.at<void>(), page_size);
    }
    const Descriptor copied = with_other_frame(entry, copy.address());
    return ChildPage{std::move(copy), copied};
}

// What the child gets for a valid entry of its parent, which this may change.
Result<ChildPage> page_for_child(Descriptor& parent_entry, CopyMode mode) {
    if (parent_entry.shared() || parent_entry.copy_on_write()) {
        return share_page(parent_entry);
    }
    if (mode == CopyMode::Eager) {
        return copy_page(parent_entry);
    }
    parent_entry = marked_copy_on_write(parent_entry);
    return share_page(parent_entry);
}

// A run lies in one table of the parent, so its copy lies in one table of the child: made for the first valid entry.
Result<> copy_run(PageTable& child, const LeafSpan& run, CopyMode mode) {
    Descriptor* child_entries = nullptr;
    for (size_t i = 0; i < run.count; ++i) {
        Descriptor& parent_entry = run.entries[i];
        if (!parent_entry.valid()) {
            continue;
        }
        if (child_entries == nullptr) {
            child_entries = TRY(child.ensure(run.address + i * page_size)) - i;
        }
        ChildPage made = TRY(page_for_child(parent_entry, mode));
        child_entries[i] = made.entry;
        child.entries_added(&child_entries[i], 1);
        static_cast<void>(made.page.release());     // the entry holds the reference from here on
    }
    return {};
}

}  // namespace

Result<> copy_page_tables(PageTable& child, PageTable& parent, UserAddr start, UserAddr end, CopyMode mode) {
    for (LeafSpan run = parent.next_leaf(start, end); run.entries != nullptr; run = parent.next_leaf(run.end(), end)) {
        TRY(copy_run(child, run, mode));
    }
    // Once for the whole range: until clone() is done no core walks the child's tables.
    mmu::entries_written();
    return {};
}
