// fork's copy of page tables: the reference of lab 3's required part. See page_table_copy.h.
//
// Both modes go from one level-3 table of the parent to the child's table beside it, entry by entry. In the loop for
// copy-on-write every instruction counts: fork spends its time there.
#include "mm/page_table_copy.h"

#include "machine/cpu.h"

namespace {

// A private page that either side may write later: both read it until then.
constexpr uint64_t copied_on_write = Descriptor::CopyOnWrite::mask | Descriptor::ReadOnly::mask;

// The child's entries beside `span`, or nullptr if the parent has no page there.
Result<Descriptor*> entries_beside(PageTable& child, LeafSpan& span) {
    while (span.count != 0 && !span.entries->valid()) {
        ++span.entries;
        span.address = span.address + page_size;
        --span.count;
    }
    if (span.count == 0) {
        return static_cast<Descriptor*>(nullptr);
    }
    return child.ensure(span.address);
}

void copy_on_write(PageTable& child, Descriptor* to, const LeafSpan& span) {
    size_t copied = 0;
    Descriptor* from = span.entries;
    for (Descriptor* const end = from + span.count; from != end; ++from, ++to) {
        Descriptor entry = *from;
        if (!entry.valid()) {
            continue;
        }
        if (!entry.shared()) {
            entry.bits |= copied_on_write;
            *from = entry;
        }
        pages::share(entry.address());
        *to = entry;
        ++copied;
    }
    child.entries_added(to - 1, copied);
}

// The child's entry for what the parent has in `entry`.
Result<Descriptor> eager_copy(Descriptor entry) {
    if (entry.shared() || entry.copy_on_write()) {
        pages::share(entry.address());
        return entry;
    }
    PageRef page = TRY(PageRef::allocate(PageUse::Anonymous));
    ram::copy_page(page.at<void>(), ram::at<void>(entry.address()));
    if (entry.user_executable()) {
        cpu::instructions_changed(page.at<void>(), page_size);
    }
    entry.bits = (entry.bits & ~Descriptor::Frame::mask) | page.release().value;
    return entry;
}

Result<> copy_eagerly(PageTable& child, Descriptor* to, const LeafSpan& span) {
    for (size_t i = 0; i < span.count; ++i) {
        if (span.entries[i].valid()) {
            to[i] = TRY(eager_copy(span.entries[i]));
            child.entries_added(&to[i], 1);
        }
    }
    return {};
}

}  // namespace

Result<> copy_page_tables(PageTable& child, PageTable& parent, UserAddr start, UserAddr end, CopyMode mode) {
    for (LeafSpan span = parent.next_leaf(start, end); span.entries != nullptr;) {
        UserAddr next = span.end();
        if (Descriptor* to = TRY(entries_beside(child, span))) {
            if (mode == CopyMode::CopyOnWrite) {
                copy_on_write(child, to, span);
            } else {
                TRY(copy_eagerly(child, to, span));
            }
        }
        span = parent.next_leaf(next, end);
    }
    mmu::entries_written();
    return {};
}
