// The user half's page tables: typed descriptors, and the tree of three levels that owns the pages it maps.
//
// Tables are data: only machine/ram.h touches their memory and only machine/mmu.h the hardware, so all of this runs
// on the host with real descriptor bits. A valid entry holds one reference to its page. A table's frame counts its
// valid entries (PageFrame::link); a table that becomes empty is given back, except for the root.
// Lock: that of the address space which owns the tree.
#pragma once

#include "base/bits.h"
#include "base/relaxed.h"
#include "mm/address_space_id.h"
#include "mm/page.h"

enum class Access : uint8_t { Read, Write, Execute };

// What a program may do with a range of its memory. Nothing is both writable and executable.
struct Protection {
    bool read = false, write = false, execute = false;
    static constexpr Protection none() { return {}; }
    static constexpr Protection read_only() { return {true, false, false}; }
    static constexpr Protection read_write() { return {true, true, false}; }
    static constexpr Protection read_execute() { return {true, false, true}; }
    constexpr bool allows(Access access) const {
        return access == Access::Write ? write : access == Access::Execute ? execute : read;
    }
    friend constexpr bool operator==(const Protection&, const Protection&) = default;
};

// The index into MAIR_EL1 (ARM ARM D17.2.97) that a descriptor chooses; the machine sets MAIR_EL1 to mair_value.
enum class MemoryKind : uint8_t {
    Normal = 0,         // write-back, read and write allocate, cacheable inside and outside
    Device = 1,         // Device-nGnRE
    Uncached = 2,       // normal, not cacheable
};
inline constexpr uint64_t mair_value = 0xffull | 0x04ull << 8 | 0x44ull << 16;

// One 64-bit entry of a stage-1 table, 4-KiB granule (ARM ARM D8.3.1 table, D8.3.2 block and page descriptors).
struct Descriptor {
    uint64_t bits = 0;

    using Valid = BitField<uint64_t, 0>;
    using Type = BitField<uint64_t, 1>;             // 1: table (levels 1, 2) or page (level 3); 0: block
    using Kind = BitField<uint64_t, 2, 4>;          // AttrIndx
    using User = BitField<uint64_t, 6>;             // AP[1]: EL0 may access it
    using ReadOnly = BitField<uint64_t, 7>;         // AP[2]
    using Shareability = BitField<uint64_t, 8, 9>;  // 3: inner
    using Accessed = BitField<uint64_t, 10>;        // AF: clear would fault
    using NotGlobal = BitField<uint64_t, 11>;       // nG: belongs to one asid
    using Frame = BitField<uint64_t, 12, 47>;
    using KernelNoExecute = BitField<uint64_t, 53>; // PXN
    using UserNoExecute = BitField<uint64_t, 54>;   // UXN
    // 55..58 are for software. Both describe the page: who else may see what is written to it.
    using CopyOnWrite = BitField<uint64_t, 55>;     // perhaps not ours alone: copy it before the first write
    using Shared = BitField<uint64_t, 56>;          // shared with intent: fork shares it again

    constexpr bool valid() const { return bits & Valid::mask; }
    constexpr bool user_readable() const { return bits & User::mask; }
    constexpr bool user_writable() const { return (bits & (User::mask | ReadOnly::mask)) == User::mask; }
    constexpr bool user_executable() const { return !(bits & UserNoExecute::mask); }
    constexpr bool copy_on_write() const { return bits & CopyOnWrite::mask; }
    constexpr bool shared() const { return bits & Shared::mask; }
    constexpr PhysAddr address() const { return PhysAddr(bits & Frame::mask); }
    constexpr bool allows(Access access) const {
        return access == Access::Write     ? user_writable()
               : access == Access::Execute ? user_readable() && user_executable()
                                           : user_readable();
    }

    static constexpr Descriptor table(PhysAddr next) {
        return {(next.value & Frame::mask) | Type::mask | Valid::mask};
    }
    static constexpr Descriptor user_page(PhysAddr page, Protection protection, bool is_shared, bool copy) {
        uint64_t word = (page.value & Frame::mask) | Valid::mask | Type::mask | Shareability::of(3) | Accessed::mask |
                        NotGlobal::mask | KernelNoExecute::mask | Kind::of(static_cast<uint64_t>(MemoryKind::Normal));
        word |= is_shared ? Shared::mask : 0;
        word |= copy ? CopyOnWrite::mask : 0;
        return Descriptor{word}.with(protection);
    }
    constexpr Descriptor with_frame(PhysAddr page) const { return {bits | page.value}; }     // has none yet
    // The same page under another protection; one that is copied on write is never writable.
    constexpr Descriptor with(Protection protection) const {
        bool any = protection.read || protection.write || protection.execute;
        uint64_t word = bits & ~(User::mask | ReadOnly::mask | UserNoExecute::mask);
        word |= any ? User::mask : 0;
        word |= protection.write && !copy_on_write() ? 0 : ReadOnly::mask;
        word |= protection.execute ? 0 : UserNoExecute::mask;
        return {word};
    }
    friend constexpr bool operator==(const Descriptor&, const Descriptor&) = default;
};
static_assert(sizeof(Descriptor) == 8);

inline constexpr size_t table_entries = page_size / sizeof(Descriptor);
// What one entry of a table of each level covers, as a shift; three levels make 39 bits.
inline constexpr unsigned level_shift[] = {39, 30, 21, 12};

// A run of entries of one level-3 table: entries[0] is that of `address`.
struct LeafSpan {
    UserAddr address;
    Descriptor* entries = nullptr;      // nullptr: there is no further one
    size_t count = 0;
    UserAddr end() const { return address + count * page_size; }
};

// An owner of a tree. Functions that take an id make all cores forget what they changed.
class PageTable {
public:
    static Result<PageTable> create();
    PageTable() = default;      // no tree: only to be assigned to
    PageTable(PageTable&& other);
    PageTable& operator=(PageTable&& other);
    ~PageTable();               // releases all pages and tables; no core may have the tree active

    PhysAddr root() const { return root_; }
    PageCount resident() const { return PageCount(resident_); }
    PageCount peak() const {        // the most there ever were
        const size_t resident = resident_, before = peak_;
        return PageCount(resident > before ? resident : before);
    }

    // The level-3 entry of `address`, or nullptr if there is no table for it. It may be invalid.
    Descriptor* find(UserAddr address) const {
        Descriptor entry = entries_of(root_)[index_of(address, 1)];
        if (!entry.valid()) [[unlikely]] {
            return nullptr;
        }
        entry = entries_of(entry.address())[index_of(address, 2)];
        return entry.valid() ? &entries_of(entry.address())[index_of(address, 3)] : nullptr;
    }
    // The entry of `address`, with its table made if need be. NoMemory, with nothing left behind.
    Result<Descriptor*> ensure(UserAddr address);
    // The first run of entries in [start, end) that a level-3 table exists for.
    LeafSpan next_leaf(UserAddr start, UserAddr end) const;

    // Maps a page where none is (panics otherwise), taking its reference over. NoMemory: the reference is released.
    Result<> map(UserAddr address, PageRef page, Protection protection, bool shared, bool copy_on_write);
    // The same for an entry that find() gave and that is invalid: nothing is made, so nothing can fail.
    void fill(Descriptor& entry, Descriptor with) {
        entry = with;
        entries_added(&entry, 1);
        mmu::entries_written();
    }
    // Break-before-make: takes the valid `entry` of `address` away, makes all cores forget it, writes the new one, and
    // releases the old page.
    void replace(UserAddr address, Descriptor& entry, Descriptor with, const AddressSpaceId& id);
    // Other permissions, same page: nothing to break, but the cores must forget the old ones.
    void change(UserAddr address, Descriptor& entry, Descriptor with, const AddressSpaceId& id);

    // Takes away every page in [start, end): entries first, then the cores' memory of them, then the references.
    // Without an id nobody is told: the space was retired, or never ran.
    void unmap(UserAddr start, UserAddr end, const AddressSpaceId* id);
    // New permissions for the pages there; absent pages stay absent.
    void protect(UserAddr start, UserAddr end, Protection protection, const AddressSpaceId& id);

    // Calls visit(UserAddr, Descriptor&) for each valid entry in [start, end), in order.
    template <typename Visit>
    void walk(UserAddr start, UserAddr end, Visit visit) const;

    // For those who fill a table's entries themselves: `count` more of the table that `entry` is in are valid.
    void entries_added(const Descriptor* entry, size_t count) {
        frame_of_table(entry).add_entries(static_cast<int32_t>(count));
        resident_.add(count);
    }

private:
    class Removal;
    static Descriptor* entries_of(PhysAddr table) { return ram::at<Descriptor>(table); }
    static size_t index_of(UserAddr address, unsigned level) {
        return (address.value >> level_shift[level]) % table_entries;
    }
    // The table that an entry lies in.
    static PhysAddr table_of(const Descriptor* entry) { return ram::phys_of(entry).page_down(); }
    static PageFrame& frame_of_table(const Descriptor* entry) { return pages::frame_of(ram::phys_of(entry)); }
    static void link_table(Descriptor& entry, PageRef table);
    static void release_tree(PhysAddr table, unsigned level);
    explicit PageTable(PhysAddr root) : root_(root) {}
    void entries_removed(Descriptor* entry, UserAddr address, size_t count, Removal& removal);

    static constexpr PhysAddr none{~0ull};
    PhysAddr root_ = none;
    // Written under the lock of the tables, read without it for lists of processes.
    Relaxed<size_t> resident_ = 0;
    Relaxed<size_t> peak_ = 0;  // as of the last removal: a fault need not look at it
};

template <typename Visit>
void PageTable::walk(UserAddr start, UserAddr end, Visit visit) const {
    for (LeafSpan span = next_leaf(start, end); span.entries != nullptr; span = next_leaf(span.end(), end)) {
        for (size_t i = 0; i < span.count; ++i) {
            if (span.entries[i].valid()) {
                visit(span.address + i * page_size, span.entries[i]);
            }
        }
    }
}
