// Lab 3, page by page: page tables are data, and copy_page_tables is called on two of them. Each check is one sentence of
// page_table_copy.h.
#include <optional>

#include "grader/runner/seed.h"
#include "lab3/checks/fork_check.h"
#include "mm/page_table_copy.h"

namespace {

using Kind = host::MmuCall::Kind;

constexpr UserAddr start{0x20'5000};        // not the first page of its table
constexpr size_t range_pages = 8;
constexpr UserAddr end = start + range_pages * page_size;

UserAddr page_at(size_t i) { return start + i * page_size; }

}  // namespace

TEST_GROUP(PageCopy) {
    std::optional<Ledger> ledger;
    std::optional<PageTable> parent, child;
    CheckRandom random;

    void setup() override {
        ledger.emplace();
        parent.emplace(must(PageTable::create()));
        child.emplace(must(PageTable::create()));
    }
    void teardown() override {
        failpoint::disarm();
        host::mmu_observe = nullptr;
        host::mmu_recording = false;
        child.reset();
        parent.reset();
        ledger->check();
    }

    // The parent has a page of random words there.
    PhysAddr map(UserAddr address, Protection protection = Protection::read_write(), bool is_shared = false, bool copied_on_write = false) {
        PageRef page = must(PageRef::allocate(PageUse::Anonymous));
        PhysAddr frame = page.address();
        for (size_t word = 0; word < words_of_page; ++word) {
            page.at<uint64_t>()[word] = random.next();
        }
        must(parent->map(address, std::move(page), protection, is_shared, copied_on_write));
        return frame;
    }
    PhysAddr map(size_t i, Protection protection = Protection::read_write(), bool is_shared = false) {
        return map(page_at(i), protection, is_shared);
    }
    void copy() { must(copy_page_tables(*child, *parent, start, end, CopyMode::Eager)); }
    static Descriptor entry(PageTable& table, UserAddr address) {
        Descriptor* found = table.find(address);
        return found == nullptr ? Descriptor{} : *found;
    }
    static bool same_content(PhysAddr one, PhysAddr other) {
        return memcmp(ram::at<void>(one), ram::at<void>(other), page_size) == 0;
    }
    // The child has a page there, and its entry names a page of programs.
    Descriptor childs(UserAddr address) {
        Descriptor found = entry(*child, address);
        CHECK_TRUE_TEXT(found.valid(), "the child has no page where the parent has one");
        CHECK_TRUE_TEXT(pages::use_of(found.address()) == PageUse::Anonymous, "the child's entry names no page of programs");
        return found;
    }
    Descriptor childs(size_t i) { return childs(page_at(i)); }
    Descriptor parents(size_t i) { return entry(*parent, page_at(i)); }
};

TEST(PageCopy, gives_the_child_every_page_of_the_range_and_no_other) {
    map(start - page_size);
    map(end);
    for (size_t i : {0, 1, 4, 7}) {
        map(i);
    }
    copy();
    for (size_t i : {0, 1, 4, 7}) {
        CHECK_TRUE_TEXT(same_content(parents(i).address(), childs(i).address()), "the page is another page's copy");
    }
    for (size_t i : {2, 3, 5, 6}) {
        CHECK_FALSE_TEXT(entry(*child, page_at(i)).valid(), "the child has a page where the parent has none");
    }
    CHECK_FALSE_TEXT(entry(*child, start - page_size).valid(), "a page before the range was copied");
    CHECK_FALSE_TEXT(entry(*child, end).valid(), "a page behind the range was copied");
    UNSIGNED_LONGS_EQUAL_TEXT(4, child->resident().value, "pages that the child's table counts");
}

TEST(PageCopy, goes_through_every_table_of_the_range) {
    // In the first and last entry of a table, in tables side by side, far apart, and at both ends of the user half.
    const UserAddr places[] = {UserAddr(0x1'0000),    UserAddr(0x1f'f000),   UserAddr(0x20'0000),   UserAddr(0x3fff'f000),
                               UserAddr(0x4000'0000), UserAddr(0x7f'0000'0000), user_end - page_size};
    for (UserAddr address : places) {
        map(address);
    }
    must(copy_page_tables(*child, *parent, UserAddr(0), user_end, CopyMode::Eager));
    for (UserAddr address : places) {
        CHECK_TRUE_TEXT(same_content(entry(*parent, address).address(), childs(address).address()), "the page is another page's copy");
    }
    UNSIGNED_LONGS_EQUAL_TEXT(std::size(places), child->resident().value, "pages that the child's table counts");
}

TEST(PageCopy, copies_all_bytes_into_a_page_of_the_childs_own) {
    for (size_t i = 0; i < range_pages; ++i) {
        map(i);
    }
    copy();
    for (size_t i = 0; i < range_pages; ++i) {
        const PhysAddr mine = parents(i).address(), its = childs(i).address();
        CHECK_TRUE_TEXT(mine != its, "the child has the parent's page itself");
        CHECK_TRUE_TEXT(same_content(mine, its), "the child's page is not what the parent's was");
        UNSIGNED_LONGS_EQUAL_TEXT(1, pages::references(mine), "references to the parent's page");
        UNSIGNED_LONGS_EQUAL_TEXT(1, pages::references(its), "references to the child's page");
        const size_t word = random.below(words_of_page);
        const uint64_t before = ram::at<uint64_t>(its)[word];
        ++ram::at<uint64_t>(mine)[word];
        UNSIGNED_LONGS_EQUAL_TEXT(before, ram::at<uint64_t>(its)[word], "the child sees what the parent writes later");
    }
}

TEST(PageCopy, keeps_the_permissions_of_each_page) {
    const Protection protections[] = {Protection::read_write(), Protection::read_only(), Protection::read_execute(), Protection::none()};
    for (size_t i = 0; i < std::size(protections); ++i) {
        map(i, protections[i]);
    }
    copy();
    for (size_t i = 0; i < std::size(protections); ++i) {
        UNSIGNED_LONGS_EQUAL_TEXT(parents(i).bits & ~Descriptor::Frame::mask, childs(i).bits & ~Descriptor::Frame::mask,
                                  "the entry's bits, but for the frame");
    }
}

TEST(PageCopy, leaves_the_parents_entries_alone) {
    const Descriptor before[] = {(map(0), parents(0)), (map(1, Protection::read_only()), parents(1)),
                                 (map(2, Protection::read_write(), true), parents(2))};
    host::mmu_calls.clear();
    host::mmu_recording = true;
    copy();
    for (size_t i = 0; i < std::size(before); ++i) {
        UNSIGNED_LONGS_EQUAL_TEXT(before[i].bits, parents(i).bits, "the parent's entry changed, and nobody told its cores");
        CHECK_TRUE(childs(i).valid());
    }
    UNSIGNED_LONGS_EQUAL_TEXT(3, parent->resident().value, "pages that the parent's table counts");
    for (const host::MmuCall& call : host::mmu_calls) {
        CHECK_FALSE_TEXT(call.kind == Kind::InvalidateAll || call.kind == Kind::InvalidateSpace || call.kind == Kind::InvalidatePage,
                         "no entry changed that a TLB may hold, and all of them were told to forget");
    }
}

TEST(PageCopy, shares_shared_pages_each_entry_with_its_own_reference) {
    const PhysAddr writable = map(0, Protection::read_write(), true), read_only = map(1, Protection::read_only(), true);
    copy();
    CHECK_TRUE_TEXT(childs(0).address() == writable && childs(1).address() == read_only, "the child has a copy of a shared page");
    CHECK_TRUE_TEXT(childs(0) == parents(0) && childs(1) == parents(1), "the entries of a shared page differ");
    UNSIGNED_LONGS_EQUAL_TEXT(2, pages::references(writable), "references to a page that both have");
    UNSIGNED_LONGS_EQUAL_TEXT(2, pages::references(read_only), "references to a page that both have");
}

TEST(PageCopy, shares_a_page_that_is_copied_on_write_already) {
    const PhysAddr page = map(start, Protection::read_write(), false, true);
    const Descriptor before = parents(0);
    copy();
    CHECK_TRUE_TEXT(childs(0) == before && parents(0) == before, "both entries are as the parent's was");
    UNSIGNED_LONGS_EQUAL_TEXT(2, pages::references(page), "references to a page that both have");
}

TEST(PageCopy, shows_copied_instructions_to_the_instruction_fetch) {
    map(0);
    const PhysAddr original = map(1, Protection::read_execute());
    size_t shown = 0, shown_too_early = 0;
    uint64_t place = 0;
    host::mmu_observe = [&](const host::MmuCall& call) {
        if (call.kind == Kind::InstructionsChanged) {
            ++shown;
            place = call.address;
            shown_too_early += memcmp(reinterpret_cast<void*>(place), ram::at<void>(original), page_size) != 0;
        }
    };
    copy();
    host::mmu_observe = nullptr;
    UNSIGNED_LONGS_EQUAL_TEXT(1, shown, "pages that cpu::instructions_changed was told of; one of the two is executable");
    UNSIGNED_LONGS_EQUAL_TEXT(reinterpret_cast<uint64_t>(ram::at<void>(childs(1).address())), place, "the page that it was told of");
    UNSIGNED_LONGS_EQUAL_TEXT(0, shown_too_early, "it was told before the page was copied");
}

TEST(PageCopy, tells_the_table_walkers_when_all_entries_are_there) {
    map(0);
    map(1, Protection::read_only(), true);
    size_t there = 0;
    host::mmu_observe = [&](const host::MmuCall& call) {
        if (call.kind == Kind::EntriesWritten) {
            there = size_t{entry(*child, page_at(0)).valid()} + size_t{entry(*child, page_at(1)).valid()};
        }
    };
    copy();
    host::mmu_observe = nullptr;
    UNSIGNED_LONGS_EQUAL_TEXT(2, there, "of the child's two entries, those that were there at the last mmu::entries_written");
}

TEST(PageCopy, says_no_memory_and_leaves_what_the_owner_can_unmap) {
    constexpr size_t private_pages = 5;
    for (size_t i = 0; i < private_pages; ++i) {
        map(i);
    }
    const PhysAddr shared_page = map(private_pages, Protection::read_write(), true);
    const uint64_t steps = sweep_failures([&]() -> Result<> {
        PageTable other = TRY(PageTable::create());
        Result<> copied = copy_page_tables(other, *parent, start, end, CopyMode::Eager);
        if (copied.ok()) {
            UNSIGNED_LONGS_EQUAL_TEXT(private_pages + 1, other.resident().value, "pages that the child's table counts");
        }
        other.unmap(start, end, nullptr);
        UNSIGNED_LONGS_EQUAL_TEXT(0, other.resident().value, "pages that are left when all were unmapped");
        return copied;
    });
    CHECK_TRUE_TEXT(steps >= 3 + private_pages, "there are three tables and five pages to make, and each of them may be refused");
    UNSIGNED_LONGS_EQUAL_TEXT(1, pages::references(shared_page), "references to the parent's shared page");
}
