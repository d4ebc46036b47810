// The two levels of tables behind PageIndex.
#include "kernel/fs/page_index.h"

PageIndex::~PageIndex() {
    for (size_t i = next_used(0); i < capacity; i = next_used(i + 1)) {
        (void)remove(i);
    }
    if (uint64_t* tables = root()) {
        for (size_t i = 0; i < fan_out; ++i) {
            if (tables[i] != 0) {
                pages::release(frame_of(tables[i]));
            }
        }
        pages::release(frame_of(root_));
    }
}

const uint64_t* PageIndex::slot(size_t index) const {
    if (index < direct_count) {
        return &direct_[index];
    }
    index -= direct_count;
    const uint64_t* tables = root();
    if (tables == nullptr || index / fan_out >= fan_out || tables[index / fan_out] == 0) {
        return nullptr;
    }
    return ram::at<uint64_t>(frame_of(tables[index / fan_out])) + index % fan_out;
}

bool PageIndex::find(size_t index, PhysAddr& frame) const {
    const uint64_t* at = slot(index);
    if (at == nullptr || *at == 0) {
        return false;
    }
    frame = frame_of(*at);
    return true;
}

Result<PageIndex::Tables> PageIndex::make_tables(size_t index) const {
    ASSERT(index < capacity);
    Tables tables;
    if (slot(index) != nullptr) {
        return tables;
    }
    if (root() == nullptr) {
        tables.root = TRY(PageRef::allocate_zeroed(PageUse::File));
    }
    tables.leaf = TRY(PageRef::allocate_zeroed(PageUse::File));
    return tables;
}

void PageIndex::put_tables(size_t index, Tables&& tables) {
    tables_ += tables.count();
    if (tables.root) {
        root_ = tables.root.release().value | present;
    }
    if (tables.leaf) {
        root()[(index - direct_count) / fan_out] = tables.leaf.release().value | present;
    }
}

PageRef PageIndex::put(size_t index, PageRef frame) {
    PageRef old = remove(index);
    *slot(index) = frame.release().value | present;
    return old;
}

PageRef PageIndex::remove(size_t index) {
    uint64_t* at = slot(index);
    if (at == nullptr || *at == 0) {
        return {};
    }
    PageRef frame = PageRef::adopt(frame_of(*at));
    *at = 0;
    return frame;
}

size_t PageIndex::next_used(size_t from) const {
    while (from < capacity) {
        const uint64_t* at = slot(from);
        if (at == nullptr) {
            from = direct_count + ((from - direct_count) / fan_out + 1) * fan_out;
            if (root() == nullptr) {
                return capacity;
            }
        } else if (*at != 0) {
            return from;
        } else {
            ++from;
        }
    }
    return capacity;
}
