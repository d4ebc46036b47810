// Two passes over a run: first the pages that the child will need are gathered in a list through their own first words, then,
// when nothing can fail any more, they are filled and entered. The other mode needs no pages.
#include "mm/page_table_copy.h"

#include "machine/cpu.h"

namespace {

// Pages that nobody uses yet, linked through their first word.
class Pages {
public:
    Pages() = default;
    Pages(const Pages&) = delete;
    ~Pages() {
        while (first_.value != 0) {
            pages::release(take());
        }
    }
    Result<> add() {
        PhysAddr page = TRY(pages::allocate(PageUse::Anonymous));
        *ram::at<uint64_t>(page) = first_.value;
        first_ = page;
        return {};
    }
    PhysAddr take() {
        PhysAddr page = first_;
        first_ = PhysAddr(*ram::at<uint64_t>(page));
        return page;
    }

private:
    PhysAddr first_{0};
};

bool needs_a_copy(Descriptor entry, CopyMode mode) {
    return entry.valid() && mode == CopyMode::Eager && !entry.shared() && !entry.copy_on_write();
}

Descriptor filled(Descriptor entry, PhysAddr page) {
    ram::copy_page(ram::at<void>(page), ram::at<void>(entry.address()));
    if (entry.user_executable()) {
        cpu::instructions_changed(ram::at<void>(page), page_size);
    }
    return {(entry.bits & ~Descriptor::Frame::mask) | page.value};
}

Result<> copy_run(PageTable& child, LeafSpan span, CopyMode mode) {
    size_t present = 0;
    Pages spare;
    for (size_t i = 0; i < span.count; ++i) {
        present += span.entries[i].valid();
        if (needs_a_copy(span.entries[i], mode)) {
            TRY(spare.add());
        }
    }
    if (present == 0) {
        return {};
    }
    Descriptor* to = TRY(child.ensure(span.address));
    for (size_t i = 0; i < span.count; ++i) {
        Descriptor& entry = span.entries[i];
        if (!entry.valid()) {
            continue;
        }
        if (needs_a_copy(entry, mode)) {
            to[i] = filled(entry, spare.take());
            continue;
        }
        if (mode == CopyMode::CopyOnWrite && !entry.shared()) {
            entry.bits |= Descriptor::CopyOnWrite::mask | Descriptor::ReadOnly::mask;
        }
        pages::share(entry.address());
        to[i] = entry;
    }
    child.entries_added(to, present);
    return {};
}

}  // namespace

Result<> copy_page_tables(PageTable& child, PageTable& parent, UserAddr start, UserAddr end, CopyMode mode) {
    LeafSpan span = parent.next_leaf(start, end);
    while (span.entries != nullptr) {
        TRY(copy_run(child, span, mode));
        span = parent.next_leaf(span.end(), end);
    }
    mmu::entries_written();
    return {};
}
