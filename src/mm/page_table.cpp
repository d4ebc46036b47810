// The tree of page tables. See page_table.h.
#include "mm/page_table.h"

#include "machine/cpu.h"

// Links a table of zeros below `entry`. Released: no walker may see the link before the zeros.
void PageTable::link_table(Descriptor& entry, PageRef table) {
    std::atomic_ref(entry.bits).store(Descriptor::table(table.release()).bits, std::memory_order_release);
    frame_of_table(&entry).add_entries(1);
}

// Releases the tree below `table`, which is of `level`: pages, tables, and the table itself, which is zeros by then.
void PageTable::release_tree(PhysAddr table, unsigned level) {
    Descriptor* entries = entries_of(table);
    size_t left = pages::frame_of(table).link();
    for (size_t i = 0; left != 0; ++i) {
        if (!entries[i].valid()) {
            continue;
        }
        --left;
        const PhysAddr below = std::exchange(entries[i], {}).address();
        if (level == 3) {
            pages::release(below);
        } else {
            release_tree(below, level + 1);
        }
    }
    pages::release_zeroed(table);
}

// Pages whose entries are gone already, but which some core may still reach through what it cached: released when
// every core has forgotten them, many at a time.
class PageTable::Removal {
public:
    explicit Removal(const AddressSpaceId* id) : id_(id) {}
    Removal(const Removal&) = delete;
    ~Removal() { finish(); }

    void add_page(UserAddr address, PhysAddr page) {
        if (id_ == nullptr) {
            pages::release(page);
        } else {
            add({address, page, false});
        }
    }
    void add_empty_table(UserAddr address, PhysAddr table) {
        if (id_ == nullptr) {
            pages::release_zeroed(table);
        } else {
            add({address, table, true});
        }
    }

private:
    struct Removed {
        UserAddr address;
        PhysAddr page;
        bool is_empty_table;
    };
    static constexpr size_t capacity = 32;
    static constexpr size_t one_by_one = 8;     // beyond, forgetting the whole space is cheaper

    void add(const Removed& removed) {
        if (count_ == capacity) {
            finish();
        }
        removed_[count_++] = removed;
    }

    void finish() {
        if (count_ > one_by_one) {
            id_->forget_all();
        } else {
            for (size_t i = 0; i < count_; ++i) {
                id_->forget_page(removed_[i].address);
            }
        }
        for (size_t i = 0; i < count_; ++i) {
            if (removed_[i].is_empty_table) {
                pages::release_zeroed(removed_[i].page);
            } else {
                pages::release(removed_[i].page);
            }
        }
        count_ = 0;
    }

    const AddressSpaceId* id_;
    size_t count_ = 0;
    Removed removed_[capacity];
};

Result<PageTable> PageTable::create() { return PageTable(TRY(pages::allocate_zeroed(PageUse::PageTable))); }

PageTable::PageTable(PageTable&& other)
    : root_(std::exchange(other.root_, none)),
      resident_(std::exchange(other.resident_, 0)),
      peak_(std::exchange(other.peak_, 0)) {}

PageTable& PageTable::operator=(PageTable&& other) {
    std::swap(root_, other.root_);
    std::swap(resident_, other.resident_);
    std::swap(peak_, other.peak_);
    return *this;
}

PageTable::~PageTable() {
    if (root_ != none) {
        release_tree(root_, 1);
    }
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

// `count` entries of the table of `entry` became invalid; tables that are empty now go with them, but for the root.
void PageTable::entries_removed(Descriptor* entry, UserAddr address, size_t count, Removal& removal) {
    peak_ = peak().value;
    resident_ = resident_ - count;
    for (unsigned level = 3; level > 1; --level) {
        PageFrame& frame = frame_of_table(entry);
        frame.add_entries(-static_cast<int32_t>(count));
        if (frame.link() != 0) {
            return;
        }
        PhysAddr table = table_of(entry);
        Descriptor* above = &entries_of(root_)[index_of(address, 1)];
        if (level == 3) {
            above = &entries_of(above->address())[index_of(address, 2)];
        }
        *above = {};
        removal.add_empty_table(address, table);
        entry = above;
        count = 1;
    }
    frame_of_table(entry).add_entries(-1);
}

Result<> PageTable::map(UserAddr address, PageRef page, Protection protection, bool shared, bool copy_on_write) {
    Descriptor* entry = TRY(ensure(address));
    if (entry->valid()) {
        panic("a page is mapped already at this user address", address.value, entry->bits);
    }
    fill(*entry, Descriptor::user_page(page.release(), protection, shared, copy_on_write));
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
                removal.add_page(span.address + i * page_size, entry.address());
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
