// Page frames: references, uses, owners.
#include "unit/support.h"

TEST_GROUP(Pages) {
    alignas(Ledger) unsigned char ledger_memory[sizeof(Ledger)];
    Ledger* ledger = nullptr;
    void setup() override { ledger = new (ledger_memory) Ledger; }
    void teardown() override { ledger->check(); }
};

TEST(Pages, come_with_one_reference_and_their_use) {
    PhysAddr page = must(pages::allocate(PageUse::Kernel));
    UNSIGNED_LONGS_EQUAL(0, page.page_offset());
    UNSIGNED_LONGS_EQUAL(1, pages::references(page));
    CHECK_TRUE(pages::use_of(page) == PageUse::Kernel);
    pages::release(page);
    CHECK_TRUE(pages::use_of(page) == PageUse::Free);
    UNSIGNED_LONGS_EQUAL(0, pages::references(page));
}

TEST(Pages, live_until_the_last_reference_goes) {
    PhysAddr page = must(pages::allocate(PageUse::Anonymous));
    pages::share(page);
    pages::share(page);
    pages::release(page);
    pages::release(page);
    UNSIGNED_LONGS_EQUAL(1, pages::references(page));
    CHECK_TRUE(pages::use_of(page) == PageUse::Anonymous);
    pages::release(page);
}

TEST(Pages, are_zero_when_asked_for) {
    PhysAddr used = must(pages::allocate(PageUse::Kernel));
    __builtin_memset(ram::at<void>(used), 0xee, page_size);
    pages::release(used);
    PhysAddr page = must(pages::allocate_zeroed(PageUse::Kernel));
    for (size_t i = 0; i < page_size / 8; ++i) {
        CHECK_TRUE(ram::at<uint64_t>(page)[i] == 0);
    }
    pages::release(page);
}

TEST(Pages, are_counted_by_use) {
    size_t before = pages::stats().by_use[static_cast<size_t>(PageUse::File)].value;
    size_t free = pages::stats().free.value;
    PageRef page = must(PageRef::allocate(PageUse::File));
    UNSIGNED_LONGS_EQUAL(before + 1, pages::stats().by_use[static_cast<size_t>(PageUse::File)].value);
    UNSIGNED_LONGS_EQUAL(free - 1, pages::stats().free.value);
    CHECK_TRUE(pages::stats().peak.value >= pages::stats().total.value - pages::stats().free.value);
}

TEST(Pages, come_and_go_in_great_number) {
    static PhysAddr taken[500];
    for (PhysAddr& page : taken) {
        page = must(pages::allocate(PageUse::Kernel));
        *ram::at<uint64_t>(page) = page.value;
    }
    for (PhysAddr page : taken) {
        CHECK_TRUE(*ram::at<uint64_t>(page) == page.value);
        pages::release(page);
    }
}

TEST(Pages, owner_gives_its_reference_back_once) {
    PageRef first = must(PageRef::allocate(PageUse::Kernel));
    PhysAddr page = first.address();
    PageRef second = std::move(first);
    CHECK_FALSE(static_cast<bool>(first));
    {
        PageRef third = PageRef::share(page);
        UNSIGNED_LONGS_EQUAL(2, pages::references(page));
    }
    UNSIGNED_LONGS_EQUAL(1, pages::references(page));
    PhysAddr released = second.release();
    UNSIGNED_LONGS_EQUAL(1, pages::references(released));
    pages::release(released);
}

TEST(Pages, failing_takes_nothing) {
    uint64_t steps = sweep_failures([] { return PageRef::allocate(PageUse::Kernel); });
    UNSIGNED_LONGS_EQUAL(1, steps);
}
