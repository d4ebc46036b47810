// The tree of page tables. See page_table.h.
#include "mm/page_table.h"

#include "machine/cpu.h"

namespace {

Descriptor* entries_of(PhysAddr table) { return ram::at<Descriptor>(table); }
size_t index_of(UserAddr address, unsigned level) { return (address.value >> level_shift[level]) % table_entries; }

// The table that an entry lies in.
PhysAddr table_of(const Descriptor* entry) { return ram::phys_of(entry).page_down(); }
PageFrame& frame_of_table(const Descriptor* entry) { return pages::frame_of(table_of(entry)); }

// Links a table of zeros below `entry`. Released: no walker may see the link before the zeros.
void link_table(Descriptor& entry, PageRef table) {
    std::atomic_ref(entry.bits).store(Descriptor::table(table.release()).bits, std::memory_order_release);
    ++frame_of_table(&entry).link;
}

// Releases the tree below `table`, which is of `level`: pages, tables, and the table itself.
void release_tree(PhysAddr table, unsigned level) {
    Descriptor* entries = entries_of(table);
    size_t left = pages::frame_of(table).link;
    for (size_t i = 0; left != 0; ++i) {
        if (!entries[i].valid()) {
            continue;
        }
        --left;
        if (level == 3) {
            pages::release(entries[i].address());
        } else {
            release_tree(entries[i].address(), level + 1);
        }
    }
    pages::release(table);
}

}  // namespace

// Pages whose entries are gone already, but which some core may still reach through what it cached: released when
// every core has forgotten them, many at a time.
class PageTable::Removal {
public:
    explicit Removal(const AddressSpaceId* id) : id_(id) {}
    Removal(const Removal&) = delete;
    ~Removal() { finish(); }

    void add(UserAddr address, PhysAddr page) {
        if (id_ == nullptr) {
            pages::release(page);
            return;
        }
        if (count_ == capacity) {
            finish();
        }
        addresses_[count_] = address;
        pages_[count_++] = page;
    }

private:
    static constexpr size_t capacity = 32;
    static constexpr size_t one_by_one = 8;     // beyond, forgetting the whole space is cheaper

    void finish() {
        if (count_ > one_by_one) {
            id_->forget_all();
        } else {
            for (size_t i = 0; i < count_; ++i) {
                id_->forget_page(addresses_[i]);
            }
        }
        for (size_t i = 0; i < count_; ++i) {
            pages::release(pages_[i]);
        }
        count_ = 0;
    }

    const AddressSpaceId* id_;
    size_t count_ = 0;
    UserAddr addresses_[capacity];
    PhysAddr pages_[capacity];
};

Result<PageTable> PageTable::create() { return PageTable(TRY(pages::allocate_zeroed(PageUse::PageTable))); }

PageTable::PageTable(PageTable&& other)
    : root_(std::exchange(other.root_, none)), resident_(std::exchange(other.resident_, 0)) {}

PageTable& PageTable::operator=(PageTable&& other) {
    std::swap(root_, other.root_);
    std::swap(resident_, other.resident_);
    return *this;
}

PageTable::~PageTable() {
    if (root_ != none) {
        release_tree(root_, 1);
    }
}

Descriptor* PageTable::find(UserAddr address) const {
    Descriptor entry = entries_of(root_)[index_of(address, 1)];
    if (!entry.valid()) {
        return nullptr;
    }
    entry = entries_of(entry.address())[index_of(address, 2)];
    return entry.valid() ? &entries_of(entry.address())[index_of(address, 3)] : nullptr;
}

// All tables are at hand before the first is linked, so that a failure leaves the tree as it was.
Result<Descriptor*> PageTable::ensure(UserAddr address) {
    if (Descriptor* entry = find(address)) [[likely]] {
        return entry;
    }
    PageRef leaf = TRY(PageRef::allocate_zeroed(PageUse::PageTable));
    Descriptor& top = entries_of(root_)[index_of(address, 1)];
    if (!top.valid()) {
        link_table(top, TRY(PageRef::allocate_zeroed(PageUse::PageTable)));
    }
    Descriptor* entries = leaf.at<Descriptor>();
    link_table(entries_of(top.address())[index_of(address, 2)], std::move(leaf));
    return &entries[index_of(address, 3)];
}

LeafSpan PageTable::next_leaf(UserAddr start, UserAddr end) const {
    while (start < end) {
        Descriptor entry = entries_of(root_)[index_of(start, 1)];
        unsigned level = 1;
        if (entry.valid()) {
            entry = entries_of(entry.address())[index_of(start, 2)];
            level = 2;
        }
        UserAddr next(((start.value >> level_shift[level]) + 1) << level_shift[level]);
        if (entry.valid()) {
            UserAddr stop = next < end ? next : end;
            return {start, &entries_of(entry.address())[index_of(start, 3)], (stop - start) >> page_shift};
        }
        start = next;
    }
    return {};
}

void PageTable::entries_added(const Descriptor* entry, size_t count) {
    frame_of_table(entry).link += static_cast<uint32_t>(count);
    resident_ += count;
}

// `count` entries of the table of `entry` became invalid; tables that are empty now go with them, but for the root.
void PageTable::entries_removed(Descriptor* entry, UserAddr address, size_t count, Removal& removal) {
    resident_ -= count;
    for (unsigned level = 3; level > 1; --level) {
        PageFrame& frame = frame_of_table(entry);
        frame.link -= static_cast<uint32_t>(count);
        if (frame.link != 0) {
            return;
        }
        PhysAddr table = table_of(entry);
        Descriptor* above = &entries_of(root_)[index_of(address, 1)];
        if (level == 3) {
            above = &entries_of(above->address())[index_of(address, 2)];
        }
        *above = {};
        removal.add(address, table);
        entry = above;
        count = 1;
    }
    --frame_of_table(entry).link;
}

Result<> PageTable::map(UserAddr address, PageRef page, Protection protection, bool shared, bool copy_on_write) {
    Descriptor* entry = TRY(ensure(address));
    if (entry->valid()) {
        panic("a page is mapped already at this user address", address.value, entry->bits);
    }
    *entry = Descriptor::user_page(page.release(), protection, shared, copy_on_write);
    entries_added(entry, 1);
    mmu::entries_written();
    return {};
}

void PageTable::replace(UserAddr address, Descriptor& entry, Descriptor with, const AddressSpaceId& id) {
    PhysAddr old = entry.address();
    entry = {};
    id.forget_page(address);
    entry = with;
    mmu::entries_written();
    pages::release(old);
}

void PageTable::change(UserAddr address, Descriptor& entry, Descriptor with, const AddressSpaceId& id) {
    entry = with;
    id.forget_page(address);
}

void PageTable::unmap(UserAddr start, UserAddr end, const AddressSpaceId* id) {
    Removal removal(id);
    for (LeafSpan span = next_leaf(start, end); span.entries != nullptr; span = next_leaf(span.end(), end)) {
        size_t count = 0;
        for (size_t i = 0; i < span.count; ++i) {
            if (Descriptor entry = span.entries[i]; entry.valid()) {
                span.entries[i] = {};
                removal.add(span.address + i * page_size, entry.address());
                ++count;
            }
        }
        if (count != 0) {
            entries_removed(span.entries, span.address, count, removal);
        }
    }
}

void PageTable::protect(UserAddr start, UserAddr end, Protection protection, const AddressSpaceId& id) {
    bool changed = false;
    walk(start, end, [&](UserAddr, Descriptor& entry) {
        Descriptor with = entry.with(protection);
        if (with.user_executable() && !entry.user_executable()) {
            cpu::instructions_changed(ram::at<void>(entry.address()), page_size);
        }
        changed |= with != entry;
        entry = with;
    });
    if (changed) {
        id.forget_all();
    }
}
