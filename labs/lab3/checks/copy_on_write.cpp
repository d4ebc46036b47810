// Lab 3, for further points: copy on write. Each check looks first whether pages are shared at all.
#include "lab3/checks/fork_check.h"
#include "mm/page_table_copy.h"

namespace {

using Kind = host::MmuCall::Kind;

}  // namespace

TEST_GROUP_BASE(CopyOnWrite, Shell) {
    PhysAddr root{0};
    mmu::Asid asid = 0;

    void setup() override {
        Shell::setup();
        map_memory();
        const Active active = activate();
        root = active.root;
        asid = active.asid;
        set_fork_copy_mode(CopyMode::CopyOnWrite);
    }
    void teardown() override {
        deactivate();
        Shell::teardown();
    }
    Descriptor parents(UserAddr address) { return entry_of(root, address); }
    Descriptor parents(size_t i) { return parents(data + i * page_size); }
    PhysAddr root_of(Proc& proc) {
        host::mmu_calls.clear();
        InterruptGuard off;
        space_of(proc).activate();
        const PhysAddr found{host::mmu_calls.back().address};
        space().activate();
        return found;
    }
};

TEST(CopyOnWrite, makes_private_pages_read_only_on_both_sides) {
    const PhysAddr its = root_of(fork_child());
    for (size_t i = 0; i < data_pages; ++i) {
        const Descriptor childs = entry_of(its, data + i * page_size);
        CHECK_TRUE_TEXT(childs.address() == parents(i).address(), "a private page was copied, not shared");
        CHECK_TRUE_TEXT(!parents(i).user_writable() && parents(i).copy_on_write(), "the parent can still write, and the child sees it");
        CHECK_TRUE_TEXT(!childs.user_writable() && childs.copy_on_write(), "the child can write, and the parent sees it");
        CHECK_TRUE_TEXT(childs.user_readable(), "the child can not read the page any more");
    }
    CHECK_TRUE_TEXT(entry_of(its, text).user_executable() && !entry_of(its, data).user_executable(), "who may execute a page changed");
}

TEST(CopyOnWrite, allocates_no_page_and_counts_every_owner) {
    const size_t anonymous = pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value;
    const uint32_t of_shared = pages::references(parents(shared).address());      // its source has one too
    Proc& child = fork_child();
    UNSIGNED_LONGS_EQUAL_TEXT(anonymous, pages::stats().by_use[static_cast<size_t>(PageUse::Anonymous)].value, "pages of programs");
    UNSIGNED_LONGS_EQUAL_TEXT(2, pages::references(parents(0).address()), "references to a page that two have");
    {
        host::Acting acting(child);
        fork_child();
    }
    UNSIGNED_LONGS_EQUAL_TEXT(3, pages::references(parents(0).address()), "references to a page that three have");
    UNSIGNED_LONGS_EQUAL_TEXT(of_shared + 2, pages::references(parents(shared).address()), "references to a shared page that three have");
}

TEST(CopyOnWrite, leaves_shared_pages_as_they_are) {
    const Descriptor before = parents(shared);
    const PhysAddr its = root_of(fork_child());
    CHECK_TRUE_TEXT(entry_of(its, data).address() == parents(0).address(), "a private page was copied, not shared");
    UNSIGNED_LONGS_EQUAL_TEXT(before.bits, parents(shared).bits, "the parent's entry of a shared page");
    UNSIGNED_LONGS_EQUAL_TEXT(before.bits, entry_of(its, shared).bits, "the child's entry of a shared page");
    CHECK_TRUE(before.user_writable());
}

TEST(CopyOnWrite, hides_later_writes_among_three_generations) {
    Proc& child = fork_child();
    CHECK_TRUE_TEXT(parents(0).copy_on_write(), "a private page was copied, not shared");
    Proc* grandchild;
    {
        host::Acting acting(child);
        grandchild = &fork_child();
        put(data, 1);
    }
    put(data, 2);
    put(data + page_size, 3);
    UNSIGNED_LONGS_EQUAL_TEXT(100, word_of(space_of(*grandchild), data), "what nobody wrote in the grandchild");
    UNSIGNED_LONGS_EQUAL_TEXT(1, word_of(space_of(child), data), "what the child wrote");
    UNSIGNED_LONGS_EQUAL_TEXT(2, word_of(space(), data), "what the parent wrote");
    UNSIGNED_LONGS_EQUAL_TEXT(101, word_of(space_of(child), data + page_size), "what only the parent wrote");
    UNSIGNED_LONGS_EQUAL_TEXT(101, word_of(space_of(*grandchild), data + page_size), "what only the parent wrote");
}

TEST(CopyOnWrite, has_the_tlbs_told_once_for_the_whole_space) {
    size_t told = 0, told_more = 0, too_early = 0;
    host::mmu_observe = [&](const host::MmuCall& call) {
        if (call.kind == Kind::InvalidateSpace && call.asid == asid) {
            ++told;
            for (size_t i = 0; i < data_pages; ++i) {
                too_early += parents(i).user_writable();
            }
        } else {
            told_more += call.kind == Kind::InvalidateSpace || call.kind == Kind::InvalidatePage || call.kind == Kind::InvalidateAll;
        }
    };
    fork_child();
    host::mmu_observe = nullptr;
    CHECK_TRUE_TEXT(parents(0).copy_on_write(), "a private page was copied, not shared");
    UNSIGNED_LONGS_EQUAL_TEXT(1, told, "how often all cores were told to forget the parent's space");
    UNSIGNED_LONGS_EQUAL_TEXT(0, too_early, "pages that were still writable when they were told");
    UNSIGNED_LONGS_EQUAL_TEXT(0, told_more, "further calls that make TLBs forget");
}

TEST(CopyOnWrite, gives_everything_back_when_memory_runs_out) {
    fork_child();
    CHECK_TRUE_TEXT(parents(0).copy_on_write(), "a private page was copied, not shared");
    const PhysAddr page = parents(0).address();
    const uint32_t before = pages::references(page);
    sweep([&] { return space().clone(CopyMode::CopyOnWrite); }, [](Result<Ref<AddressSpace>>&) {},
          [&](uint64_t, Error error) {
              LONGS_EQUAL(static_cast<int>(Error::NoMemory), static_cast<int>(error));
              UNSIGNED_LONGS_EQUAL_TEXT(before, pages::references(page), "references to the parent's page");
          });
    UNSIGNED_LONGS_EQUAL_TEXT(before, pages::references(page), "references to the parent's page");
}
