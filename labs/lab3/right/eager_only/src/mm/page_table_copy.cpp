// The copy without copy on write: through PageTable::walk and PageTable::map, eager in either mode.
#include "mm/page_table_copy.h"

#include "machine/cpu.h"

namespace {

Protection protection_of(Descriptor entry) {
    return {.read = entry.user_readable(),
            .write = entry.user_readable() && !(entry.bits & Descriptor::ReadOnly::mask),
            .execute = entry.user_executable()};
}

Result<PageRef> page_for_child(Descriptor entry) {
    if (entry.shared() || entry.copy_on_write()) {
        return PageRef::share(entry.address());
    }
    PageRef copy = TRY(PageRef::allocate(PageUse::Anonymous));
    ram::copy_page(copy.at<void>(), ram::at<void>(entry.address()));
    if (entry.user_executable()) {
        cpu::instructions_changed(copy.at<void>(), page_size);
    }
    return copy;
}

Result<> copy_one(PageTable& child, UserAddr address, Descriptor entry) {
    PageRef page = TRY(page_for_child(entry));
    return child.map(address, std::move(page), protection_of(entry), entry.shared(), entry.copy_on_write());
}

}  // namespace

Result<> copy_page_tables(PageTable& child, PageTable& parent, UserAddr start, UserAddr end, CopyMode) {
    for (UserAddr address = start; address < end;) {
        LeafSpan span = parent.next_leaf(address, end);
        if (span.entries == nullptr) {
            break;
        }
        for (size_t i = 0; i < span.count; ++i) {
            if (span.entries[i].valid()) {
                TRY(copy_one(child, span.address + i * page_size, span.entries[i]));
            }
        }
        address = span.end();
    }
    return {};
}
