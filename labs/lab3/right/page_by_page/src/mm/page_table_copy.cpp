// Both modes in one loop over pages, through PageTable::walk; each page finds its own entry.
#include "mm/page_table_copy.h"

#include "machine/cpu.h"

namespace {

class Copier {
public:
    Copier(PageTable& child, CopyMode mode) : child_(child), mode_(mode) {}

    Result<> copy(UserAddr address, Descriptor& from) {
        Descriptor* to = TRY(child_.ensure(address));
        if (mode_ == CopyMode::CopyOnWrite && !from.shared()) {
            from.bits |= Descriptor::ReadOnly::mask | Descriptor::CopyOnWrite::mask;
        }
        Result<PageRef> page = from.shared() || from.copy_on_write() ? Result<PageRef>(PageRef::share(from.address())) : copy_of(from);
        if (!page.ok()) {
            return page.error();
        }
        *to = Descriptor{(from.bits & ~Descriptor::Frame::mask) | std::move(page).value().release().value};
        child_.entries_added(to, 1);
        return {};
    }

private:
    static Result<PageRef> copy_of(Descriptor entry) {
        PageRef page = TRY(PageRef::allocate(PageUse::Anonymous));
        ram::copy_page(page.at<void>(), ram::at<void>(entry.address()));
        if (entry.user_executable()) {
            cpu::instructions_changed(page.at<void>(), page_size);
        }
        return page;
    }

    PageTable& child_;
    const CopyMode mode_;
};

}  // namespace

Result<> copy_page_tables(PageTable& child, PageTable& parent, UserAddr start, UserAddr end, CopyMode mode) {
    Copier copier(child, mode);
    bool failed = false;
    Error error{};
    parent.walk(start, end, [&](UserAddr address, Descriptor& entry) {
        if (failed) {
            return;
        }
        if (Result<> one = copier.copy(address, entry); !one.ok()) {
            failed = true;
            error = one.error();
        }
    });
    mmu::entries_written();
    return failed ? Result<>(error) : Result<>();
}
