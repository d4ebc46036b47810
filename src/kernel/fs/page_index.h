// PageIndex: which page frame holds which page of a file. Sparse; grows by tables as pages are put into it.
//
// The first few pages are in the index itself, the others in tables of 512 below one root table. It owns the frames and
// its tables. Lock: the file's; see each function.
#pragma once

#include "mm/page.h"

class PageIndex {
public:
    static constexpr size_t direct_count = 4;
    static constexpr size_t fan_out = page_size / sizeof(uint64_t);
    static constexpr size_t capacity = direct_count + fan_out * fan_out;

    PageIndex() = default;
    PageIndex(const PageIndex&) = delete;
    ~PageIndex();

    // True and the frame, if there is one. Under the lock that put and remove are called under.
    bool find(size_t index, PhysAddr& frame) const;
    // Makes the tables that `index` needs: at most two pages, whose number it gives. The result is used by put_table.
    // NoMemory. One caller at a time.
    struct Tables {
        PageRef root, leaf;
        unsigned count() const { return (root ? 1 : 0) + (leaf ? 1 : 0); }
    };
    Result<Tables> make_tables(size_t index) const;
    void put_tables(size_t index, Tables&& tables);
    // The tables exist. Takes the frame over; the frame that was there, if any, is given back by the caller.
    PageRef put(size_t index, PageRef frame);
    PageRef remove(size_t index);

    // The first index at or above `from` that may have a frame: skips absent tables. `capacity` at the end.
    size_t next_used(size_t from) const;
    size_t table_count() const { return tables_; }

private:
    // Bit 0 says that there is a frame: the address itself may be 0.
    static constexpr uint64_t present = 1;
    static PhysAddr frame_of(uint64_t slot) { return PhysAddr(slot & ~present); }
    uint64_t* root() const { return root_ != 0 ? ram::at<uint64_t>(frame_of(root_)) : nullptr; }
    const uint64_t* slot(size_t index) const;
    uint64_t* slot(size_t index) { return const_cast<uint64_t*>(static_cast<const PageIndex*>(this)->slot(index)); }

    uint64_t direct_[direct_count] = {};
    uint64_t root_ = 0;
    size_t tables_ = 0;
};
