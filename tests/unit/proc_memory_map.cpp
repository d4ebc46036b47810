// region_list and page_list on the host: what a test at EL0 cannot arrange.
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "proc_support.h"

TEST_GROUP_BASE(MemoryMap, ProcessTest) {
    static constexpr UserAddr list{data + 2 * page_size};      // where the calls write

    void setup() override {
        ProcessTest::setup();
        touch_memory();
    }
    Result<uint64_t> regions(Pid pid, UserAddr from, uint64_t count, UserAddr to = list) {
        return call(sys_region_list, number(pid), from.value, to.value, count);
    }
    Result<uint64_t> page_entries(Pid pid, UserAddr from, uint64_t count) {
        return call(sys_page_list, number(pid), from.value, list.value, count);
    }
    template <typename Info>
    Info told(unsigned index) {
        Info info{};
        must(space().load(&info, list + index * sizeof info, sizeof info));
        return info;
    }
    // The current process's user.
    void become(Uid real, Uid effective, Uid saved) {
        Ref<Credentials> credentials = must(me().credentials->copy());
        credentials->real_uid = real;
        credentials->effective_uid = effective;
        credentials->saved_uid = saved;
        SpinGuard guard(me().lock);
        me().credentials = std::move(credentials);
    }
};

TEST(MemoryMap, regions_are_told_in_order_with_what_is_there) {
    UNSIGNED_LONGS_EQUAL(3, must(regions(Pid::Kernel, UserAddr(0), 10)));
    const auto first = told<ForkloreRegionInfo>(0), second = told<ForkloreRegionInfo>(1), third = told<ForkloreRegionInfo>(2);
    UNSIGNED_LONGS_EQUAL(data.value, first.start);
    UNSIGNED_LONGS_EQUAL(data.value + data_pages * page_size, first.end);
    UNSIGNED_LONGS_EQUAL(data_pages, first.pages);
    UNSIGNED_LONGS_EQUAL(1, second.shared);
    UNSIGNED_LONGS_EQUAL(FL_PROT_READ | FL_PROT_EXEC, third.protection);
}

TEST(MemoryMap, more_pages_than_one_piece_come_without_a_gap) {
    must(space().map(UserAddr(0x100'0000), 30 * page_size, Protection::read_write(), {.fixed = true}));
    for (unsigned i = 0; i < 30; ++i) {
        put(UserAddr(0x100'0000) + i * page_size, i);
    }
    UNSIGNED_LONGS_EQUAL(20, must(page_entries(Pid::Kernel, UserAddr(0x100'0000), 20)));
    for (unsigned i = 0; i < 20; ++i) {
        const auto page = told<ForklorePageInfo>(i);
        UNSIGNED_LONGS_EQUAL(0x100'0000 + i * page_size, page.address);
        UNSIGNED_LONGS_EQUAL(i, *ram::at<uint64_t>(PhysAddr(page.frame)));
    }
    UNSIGNED_LONGS_EQUAL(10, must(page_entries(Pid::Kernel, UserAddr(0x100'0000) + 20 * page_size, 100)));
}

TEST(MemoryMap, a_wrong_address_for_the_list_is_told) {
    must_fail(Error::BadAddress, regions(Pid::Kernel, UserAddr(0), 1, UserAddr(0x7000'0000)));
    must_fail(Error::BadAddress, regions(Pid::Kernel, UserAddr(0), 1, UserAddr(0xffff'ff80'0000'0000)));
}

TEST(MemoryMap, a_program_that_runs_set_id_shows_its_memory_to_root_alone) {
    Proc& child = forked();
    {
        host::Acting acting(child);
        become(user, root_uid, user);       // as after exec of root's set-id program
    }
    Proc& other = forked();
    {
        host::Acting acting(other);
        become(user, user, user);
        must_fail(Error::NotPermitted, regions(child.pid, UserAddr(0), 1));
        must_fail(Error::NotPermitted, regions(me().parent->pid, UserAddr(0), 1));
        must(regions(other.pid, UserAddr(0), 1));
    }
    must(regions(child.pid, UserAddr(0), 1));
    finish(child);
    finish(other);
}

TEST(MemoryMap, on_loan_a_process_shows_the_memory_of_its_lender_to_who_may_look_at_both) {
    Proc& other = forked();
    {
        host::Acting acting(other);
        become(user, user, user);
    }
    Proc& child = lent();
    become(user, user, user);
    {
        host::Acting acting(other);
        must_fail(Error::NotPermitted, regions(child.pid, UserAddr(0), 1));
    }
    const Pid pid = child.pid;
    vfork_exit(frame, 0);
    collect(pid);
    finish(other);
}

TEST(MemoryMap, the_reference_that_a_look_takes_is_given_back) {
    const uint32_t before = space().references();
    must(regions(Pid::Kernel, UserAddr(0), 1));
    must_fail(Error::NoProcess, regions(static_cast<Pid>(77), UserAddr(0), 1));
    UNSIGNED_LONGS_EQUAL(before, space().references());
}

TEST(MemoryMap, there_are_no_more_regions_than_may_be) {
    constexpr unsigned pages = 20'000;
    constexpr UserAddr start{0x100'0000};
    must(space().map(start, pages * page_size, Protection::read_write(), {.fixed = true}));
    unsigned cut = 1;
    while (cut < pages && space().protect(start + cut * page_size, page_size, Protection::read_only()).ok()) {
        cut += 2;
    }
    CHECK_TRUE(cut < pages);
    must_fail(Error::NoMemory, space().unmap(start + (cut + 1) * page_size, page_size));
    must_fail(Error::NoMemory, space().map(UserAddr(0), page_size, Protection::read_only()));
    must(space().unmap(start, pages * page_size));
    must(space().unmap(must(space().map(UserAddr(0), page_size, Protection::read_only())), page_size));
}
