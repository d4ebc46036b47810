// fork's copy of page tables: what each side has afterwards, and in which order entries, references and TLBs change.
#include <optional>

#include "machine/host.h"
#include "mm/address_space.h"
#include "mm/page_table_copy.h"
#include "unit/support.h"

namespace {

using Kind = host::MmuCall::Kind;

constexpr UserAddr start{0x20'0000};
constexpr UserAddr end = start + 8 * page_size;

UserAddr page_at(size_t i) { return start + i * page_size; }

}  // namespace

TEST_GROUP(PageTableCopy) {
    std::optional<Ledger> ledger;
    std::optional<PageTable> parent, child;

    void setup() override {
        ledger.emplace();
        parent.emplace(must(PageTable::create()));
        child.emplace(must(PageTable::create()));
        host::mmu_calls.clear();
        host::mmu_recording = true;
    }
    void teardown() override {
        host::mmu_recording = false;
        host::mmu_observe = nullptr;
        failpoint::disarm();
        child.reset();
        parent.reset();
        ledger->check();
    }

    PhysAddr map(size_t i, Protection protection = Protection::read_write(), bool is_shared = false) {
        PageRef page = must(PageRef::allocate(PageUse::Anonymous));
        PhysAddr address = page.address();
        *page.at<uint64_t>() = 1000 + i;
        must(parent->map(page_at(i), std::move(page), protection, is_shared, false));
        return address;
    }
    Result<> copy(CopyMode mode) { return copy_page_tables(*child, *parent, start, end, mode); }
    Descriptor parents(size_t i) { return *parent->find(page_at(i)); }
    Descriptor childs(size_t i) { return *child->find(page_at(i)); }
    static uint64_t content(Descriptor entry) { return *ram::at<uint64_t>(entry.address()); }
};

TEST(PageTableCopy, copies_every_page_of_the_range_and_none_beyond_it) {
    for (size_t i = 0; i < 10; ++i) {
        map(i);
    }
    must(copy(CopyMode::CopyOnWrite));
    UNSIGNED_LONGS_EQUAL(8, child->resident().value);
    CHECK_TRUE(childs(7).valid());
    CHECK_FALSE(childs(8).valid());
}

TEST(PageTableCopy, leaves_holes_where_the_parent_has_holes) {
    map(1);
    map(6);
    must(copy(CopyMode::Eager));
    for (size_t i : {0, 2, 5, 7}) {
        CHECK_FALSE(childs(i).valid());
    }
    UNSIGNED_LONGS_EQUAL(2, child->resident().value);
}

TEST(PageTableCopy, makes_no_table_where_the_parent_has_no_page) {
    map(0);
    PhysAddr page = parents(0).address();
    *parent->find(start) = {};                      // a table without a page
    must(copy(CopyMode::CopyOnWrite));
    POINTERS_EQUAL(nullptr, child->find(start));
    *parent->find(start) = Descriptor::user_page(page, Protection::read_write(), false, false);
}

TEST(PageTableCopy, reaches_across_tables_of_every_level) {
    const UserAddr far[] = {UserAddr(0x3fff'f000), UserAddr(0x4000'0000), UserAddr(0x7f'ffff'f000)};
    for (UserAddr address : far) {
        must(parent->map(address, must(PageRef::allocate(PageUse::Anonymous)), Protection::read_write(), false, false));
    }
    must(copy_page_tables(*child, *parent, UserAddr(0), user_end, CopyMode::CopyOnWrite));
    for (UserAddr address : far) {
        CHECK_TRUE(child->find(address) != nullptr && child->find(address)->valid());
    }
}

TEST(PageTableCopy, copy_on_write_makes_private_pages_read_only_on_both_sides) {
    PhysAddr page = map(0);
    must(copy(CopyMode::CopyOnWrite));
    CHECK_TRUE(parents(0) == childs(0));
    CHECK_TRUE(parents(0).copy_on_write() && !parents(0).user_writable());
    UNSIGNED_LONGS_EQUAL(2, pages::references(page));
}

TEST(PageTableCopy, copy_on_write_shares_shared_pages_as_they_are) {
    PhysAddr page = map(0, Protection::read_write(), true);
    Descriptor before = parents(0);
    must(copy(CopyMode::CopyOnWrite));
    CHECK_TRUE(parents(0) == before && childs(0) == before);
    CHECK_TRUE(before.user_writable());
    UNSIGNED_LONGS_EQUAL(2, pages::references(page));
}

TEST(PageTableCopy, copy_on_write_of_a_copy_counts_every_owner) {
    PhysAddr page = map(0);
    must(copy(CopyMode::CopyOnWrite));
    PageTable grandchild = must(PageTable::create());
    must(copy_page_tables(grandchild, *child, start, end, CopyMode::CopyOnWrite));
    UNSIGNED_LONGS_EQUAL(3, pages::references(page));
}

TEST(PageTableCopy, eager_copies_the_content_and_leaves_the_parent_alone) {
    PhysAddr page = map(3);
    Descriptor before = parents(3);
    must(copy(CopyMode::Eager));
    CHECK_TRUE(parents(3) == before);
    CHECK_TRUE(childs(3).address() != page);
    UNSIGNED_LONGS_EQUAL(1003, content(childs(3)));
    *ram::at<uint64_t>(page) = 5;
    UNSIGNED_LONGS_EQUAL(1003, content(childs(3)));
    UNSIGNED_LONGS_EQUAL(1, pages::references(page));
}

TEST(PageTableCopy, eager_keeps_the_permissions_of_each_page) {
    map(0, Protection::read_write());
    map(1, Protection::read_only());
    map(2, Protection::read_execute());
    map(3, Protection::none());
    must(copy(CopyMode::Eager));
    for (size_t i = 0; i < 4; ++i) {
        CHECK_TRUE((parents(i).bits & ~Descriptor::Frame::mask) == (childs(i).bits & ~Descriptor::Frame::mask));
    }
}

TEST(PageTableCopy, eager_shares_shared_pages) {
    PhysAddr page = map(0, Protection::read_write(), true);
    must(copy(CopyMode::Eager));
    CHECK_TRUE(childs(0).address() == page && childs(0).user_writable());
}

TEST(PageTableCopy, eager_shares_what_is_copied_on_write_already) {
    PhysAddr page = map(0);
    must(copy(CopyMode::CopyOnWrite));
    PageTable third = must(PageTable::create());
    must(copy_page_tables(third, *child, start, end, CopyMode::Eager));
    CHECK_TRUE(third.find(start)->address() == page && third.find(start)->copy_on_write());
}

TEST(PageTableCopy, eager_shows_a_copied_program_to_the_instruction_fetch) {
    map(0);
    map(1, Protection::read_execute());
    host::mmu_calls.clear();
    must(copy(CopyMode::Eager));
    size_t shown = 0;
    for (const host::MmuCall& call : host::mmu_calls) {
        if (call.kind == Kind::InstructionsChanged) {
            ++shown;
            CHECK_TRUE(call.address == reinterpret_cast<uint64_t>(ram::at<void>(childs(1).address())));
        }
    }
    UNSIGNED_LONGS_EQUAL(1, shown);
}

TEST(PageTableCopy, ends_with_the_entries_written) {
    for (CopyMode mode : {CopyMode::CopyOnWrite, CopyMode::Eager}) {
        map(mode == CopyMode::Eager ? 1 : 0);
        host::mmu_calls.clear();
        PageTable other = must(PageTable::create());
        must(copy_page_tables(other, *parent, start, end, mode));
        CHECK_TRUE(!host::mmu_calls.empty() && host::mmu_calls.back().kind == Kind::EntriesWritten);
    }
}

TEST(PageTableCopy, copy_on_write_fails_at_each_table_and_gives_all_back) {
    map(0);
    uint64_t steps = sweep_failures([&]() -> Result<> {
        PageTable other = TRY(PageTable::create());
        return copy_page_tables(other, *parent, start, end, CopyMode::CopyOnWrite);
    });
    UNSIGNED_LONGS_EQUAL(3, steps);     // the root, the two tables below
}

TEST(PageTableCopy, eager_fails_at_each_table_and_page_and_gives_all_back) {
    for (size_t i = 0; i < 4; ++i) {
        map(i);
    }
    map(4, Protection::read_write(), true);
    uint64_t steps = sweep_failures([&]() -> Result<> {
        PageTable other = TRY(PageTable::create());
        return copy_page_tables(other, *parent, start, end, CopyMode::Eager);
    });
    UNSIGNED_LONGS_EQUAL(3 + 4, steps);     // the tables, the private pages
}

// --- the same through an address space that some core has used: it has an asid, and TLBs may remember it ---

TEST_GROUP(SpaceCopy) {
    std::optional<Ledger> ledger;
    Ref<AddressSpace> parent, child;
    PhysAddr root{0};               // of the parent's tables, as the MMU was told
    mmu::Asid asid = 0;

    void setup() override {
        ledger.emplace();
        parent = must(AddressSpace::create());
        must(parent->map(start, end - start, Protection::read_write(), {.fixed = true}));
        for (size_t i = 0; i < 3; ++i) {
            uint64_t word = 1000 + i;
            must(parent->store(page_at(i), &word, sizeof word));
        }
        host::mmu_calls.clear();
        host::mmu_recording = true;
        InterruptGuard off;
        parent->activate();
        root = PhysAddr(host::mmu_calls.back().address);
        asid = host::mmu_calls.back().asid;
        host::mmu_calls.clear();
    }
    void teardown() override {
        host::mmu_observe = nullptr;
        host::mmu_recording = false;
        failpoint::disarm();
        {
            InterruptGuard off;
            AddressSpace::activate_none();
        }
        child.reset();
        parent.reset();
        ledger->check();
    }

    // The parent's entry as the walker of the MMU would find it.
    Descriptor entry(size_t i) {
        Descriptor found = *ram::at<Descriptor>(root);
        const UserAddr address = page_at(i);
        found = ram::at<Descriptor>(found.address())[(address.value >> 21) & 511];
        return ram::at<Descriptor>(found.address())[(address.value >> 12) & 511];
    }
    bool none_writable() {
        for (size_t i = 0; i < 3; ++i) {
            if (entry(i).user_writable()) {
                return false;
            }
        }
        return true;
    }
    static void write(AddressSpace& space, size_t i, uint64_t word) { must(space.store(page_at(i), &word, sizeof word)); }
    static uint64_t read(AddressSpace& space, size_t i) {
        uint64_t word = 0;
        must(space.load(&word, page_at(i), sizeof word));
        return word;
    }
    size_t count(Kind kind) {
        size_t n = 0;
        for (const host::MmuCall& call : host::mmu_calls) {
            n += call.kind == kind && (call.asid == asid || call.asid == 0) ? 1 : 0;
        }
        return n;
    }
};

TEST(SpaceCopy, forgets_the_parents_translations_after_the_last_entry_and_before_it_returns) {
    bool told = false, too_early = false;
    host::mmu_observe = [&](const host::MmuCall& call) {
        if (call.kind == Kind::InvalidateSpace && call.asid == asid) {
            told = true;
            too_early |= !none_writable();
        }
    };
    child = must(parent->clone(CopyMode::CopyOnWrite));
    CHECK_TRUE(told);
    CHECK_FALSE(too_early);
    CHECK_TRUE(none_writable());
}

TEST(SpaceCopy, is_never_shared_and_writable_when_the_mmu_is_told_anything) {
    bool wrong = false;
    host::mmu_observe = [&](const host::MmuCall&) {
        for (size_t i = 0; i < 3; ++i) {
            wrong |= entry(i).valid() && pages::references(entry(i).address()) > 1 && entry(i).user_writable();
        }
    };
    child = must(parent->clone(CopyMode::CopyOnWrite));
    write(*child, 0, 1);
    write(*parent, 1, 1);
    CHECK_FALSE(wrong);
}

TEST(SpaceCopy, forgets_the_parents_translations_also_when_it_fails) {
    must(parent->map(UserAddr(0x4000'0000), page_size, Protection::read_write(), {.fixed = true}));
    uint64_t word = 1;
    must(parent->store(UserAddr(0x4000'0000), &word, sizeof word));
    failpoint::arm(6);      // space, root, region, two tables; the second region's element and its tables
    Result<Ref<AddressSpace>> failed = parent->clone(CopyMode::CopyOnWrite);
    failpoint::disarm();
    must_fail(Error::NoMemory, failed);
    CHECK_TRUE(none_writable());
    UNSIGNED_LONGS_EQUAL(1, count(Kind::InvalidateSpace));
}

TEST(SpaceCopy, eager_tells_no_tlb_anything) {
    child = must(parent->clone(CopyMode::Eager));
    UNSIGNED_LONGS_EQUAL(0, count(Kind::InvalidateSpace) + count(Kind::InvalidatePage));
}

TEST(SpaceCopy, a_parent_that_never_ran_has_nothing_to_be_forgotten) {
    child = must(parent->clone(CopyMode::CopyOnWrite));
    host::mmu_calls.clear();
    Ref<AddressSpace> grandchild = must(child->clone(CopyMode::CopyOnWrite));
    UNSIGNED_LONGS_EQUAL(0, count(Kind::InvalidateSpace) + count(Kind::InvalidatePage));
}

TEST(SpaceCopy, the_first_write_breaks_the_entry_before_it_makes_the_new_one) {
    child = must(parent->clone(CopyMode::CopyOnWrite));
    PhysAddr old = entry(1).address();
    unsigned broken = 0, whole = 0;
    host::mmu_observe = [&](const host::MmuCall& call) {
        if (call.kind == Kind::InvalidatePage && call.address == page_at(1).value && call.asid == asid) {
            ++(entry(1).valid() ? whole : broken);
        }
    };
    write(*parent, 1, 77);
    UNSIGNED_LONGS_EQUAL(1, broken);
    UNSIGNED_LONGS_EQUAL(0, whole);
    CHECK_TRUE(entry(1).address() != old && entry(1).user_writable() && !entry(1).copy_on_write());
}

TEST(SpaceCopy, the_old_page_keeps_its_reference_until_no_core_can_reach_it) {
    child = must(parent->clone(CopyMode::CopyOnWrite));
    PhysAddr old = entry(1).address();
    uint32_t at_invalidation = 0;
    host::mmu_observe = [&](const host::MmuCall& call) {
        if (call.kind == Kind::InvalidatePage) {
            at_invalidation = pages::references(old);
        }
    };
    write(*parent, 1, 77);
    UNSIGNED_LONGS_EQUAL(2, at_invalidation);
    UNSIGNED_LONGS_EQUAL(1, pages::references(old));
}

TEST(SpaceCopy, the_last_owner_gets_the_page_back_without_a_copy) {
    child = must(parent->clone(CopyMode::CopyOnWrite));
    PhysAddr old = entry(2).address();
    child.reset();
    host::mmu_calls.clear();
    write(*parent, 2, 78);
    CHECK_TRUE(entry(2).address() == old && entry(2).user_writable());
    UNSIGNED_LONGS_EQUAL(1, count(Kind::InvalidatePage));
}

TEST(SpaceCopy, neither_side_sees_what_the_other_writes_later) {
    for (CopyMode mode : {CopyMode::CopyOnWrite, CopyMode::Eager}) {
        child = must(parent->clone(mode));
        write(*child, 0, 1);
        write(*parent, 1, 2);
        UNSIGNED_LONGS_EQUAL(1000, read(*parent, 0));
        UNSIGNED_LONGS_EQUAL(1001, read(*child, 1));
        write(*parent, 1, 1001);
        child.reset();
    }
}

TEST(SpaceCopy, gives_the_child_no_asid_before_it_runs) {
    child = must(parent->clone(CopyMode::CopyOnWrite));
    UNSIGNED_LONGS_EQUAL(0, count(Kind::Activate));
    InterruptGuard off;
    child->activate();
    CHECK_TRUE(host::mmu_calls.back().kind == Kind::Activate && host::mmu_calls.back().asid != asid);
}
