// Page frames: who uses which page of RAM, and by how many it is shared.
//
// A frame is free (0 references) or has a use and at least one reference; the last release frees it. Each core
// keeps a few free frames of its own, so the usual allocation takes no lock. RAM that was never allocated lies
// behind a watermark: its frames are not even initialised, so that boot costs nothing for it.
// Lock: `pages` (LockRank::Pages) for the shared list; a core's cache is touched with interrupts off.
#pragma once

#include <atomic>

#include "base/result.h"
#include "base/types.h"
#include "machine/ram.h"

enum class PageUse : uint8_t {
    Free,
    Reserved,       // kernel image, initrd, device tree, the frame table itself
    Kernel,         // stacks, rings, whatever a subsystem keeps
    PageTable,
    Zone,
    Anonymous,      // memory of programs
    File,           // contents of files
    Count
};
const char* name_of(PageUse use);

// What the kernel remembers of one page of RAM.
struct PageFrame {
    std::atomic<uint32_t> references;
    uint32_t word;              // the use below, the link above

    PageUse use() const { return static_cast<PageUse>(word & 0xff); }
    // Free: the next free frame's number. A page table: its valid entries. Otherwise 0. 24 bits.
    uint32_t link() const { return word >> 8; }
    void set(PageUse use, uint32_t link) { word = link << 8 | static_cast<uint32_t>(use); }
    void add_entries(int32_t count) { word += static_cast<uint32_t>(count) << 8; }
};
static_assert(sizeof(PageFrame) == 8);

namespace pages {

struct Range {
    PhysAddr start, end;
};
inline constexpr size_t max_reserved = 16;

// Takes over the RAM in `extent`, but for the reserved ranges (at most max_reserved - 1, in any order, of any
// alignment). The frame table is put into the first gap that holds it. Core 0 alone, once.
// Invalid: too many ranges; NoMemory: no room for the table.
Result<> init(ram::Extent extent, const Range* reserved, size_t count);

// One page with one reference, belonging to the caller; its contents are undefined. NoMemory when there is none
// left even after reclaim. Any context; reclaim is tried only when the core holds no spin lock.
Result<PhysAddr> allocate(PageUse use);
Result<PhysAddr> allocate_zeroed(PageUse use);
// Gives back a page that the caller alone has and that holds nothing but zeros: the next page table need not be cleared.
void release_zeroed(PhysAddr page);
// Makes the reserved page at `page` an ordinary one with one reference, which belongs to the caller.
void adopt_reserved(PhysAddr page, PageUse use);
// A reserved page has no references until it is adopted.
PageUse use_of(PhysAddr page);          // Reserved for what is not RAM of ours
uint32_t references(PhysAddr page);

// Called when no page is free: gives some back (zone caches, stacks, the memory of a process of a low band), true if it gave
// any. May sleep. boot/main.cpp fills it in.
inline bool (*reclaim)() = nullptr;

struct Stats {
    PageCount total;            // all of the extent, reserved ranges included
    PageCount free;
    PageCount peak;             // most that were ever not free (the cores' caches count as not free here)
    PageCount by_use[static_cast<size_t>(PageUse::Count)];
};
Stats stats();
// Gives this core's cache back to the shared list; interrupts off or on.
void flush_cache();

// --- the inline paths of share and release ---

// The frame table and what it covers; written by init() alone.
struct Table {
    PageFrame* frames = nullptr;
    uint64_t first = 0;         // address of the page that frames[0] describes
};
inline Table table;

inline PageFrame& frame_of(PhysAddr page) { return table.frames[(page.value - table.first) >> page_shift]; }
void free_frame(PhysAddr page);         // the last reference is gone
[[noreturn]] void report_misuse(const char* what, PhysAddr page, const void* caller);

// One reference more. The caller holds one already (or a lock under which somebody does).
inline void share(PhysAddr page) { frame_of(page).references.fetch_add(1, std::memory_order_relaxed); }

// Gives one reference back; the last one frees the page.
inline void release(PhysAddr page) {
    uint32_t before = frame_of(page).references.fetch_sub(1, std::memory_order_acq_rel);
    if (before <= 1) [[unlikely]] {
        if (before == 0) {
            report_misuse("page released more often than taken", page, __builtin_return_address(0));
        }
        free_frame(page);
    }
}

}  // namespace pages

// Owns one reference to a page.
class [[nodiscard]] PageRef {
public:
    PageRef() = default;
    static PageRef adopt(PhysAddr page) { return PageRef(page); }   // takes over the caller's reference
    static PageRef share(PhysAddr page) {
        pages::share(page);
        return PageRef(page);
    }
    static Result<PageRef> allocate(PageUse use) { return PageRef(TRY(pages::allocate(use))); }
    static Result<PageRef> allocate_zeroed(PageUse use) { return PageRef(TRY(pages::allocate_zeroed(use))); }

    PageRef(PageRef&& other) : page_(other.release()) {}
    PageRef& operator=(PageRef&& other) {
        std::swap(page_, other.page_);
        return *this;
    }
    ~PageRef() {
        if (page_ != none) {
            pages::release(page_);
        }
    }
    explicit operator bool() const { return page_ != none; }
    PhysAddr address() const { return page_; }
    [[nodiscard]] PhysAddr release() { return std::exchange(page_, none); }
    template <typename T>
    T* at() const { return ram::at<T>(page_); }

private:
    static constexpr PhysAddr none{~0ull};
    explicit PageRef(PhysAddr page) : page_(page) {}
    PhysAddr page_ = none;
};
