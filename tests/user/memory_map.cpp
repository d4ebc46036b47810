// What a process may learn of its own memory and of others': region_list and page_list, which pmap shows.
#include "user/support/support.h"

#include <initializer_list>
#include <sys/mman.h>

namespace {

constexpr size_t page_bytes = 4096;

char* map_pages(int pages, int sharing) {
    return static_cast<char*>(mmap(nullptr, pages * page_bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0));
}
uintptr_t address_of(const void* object) { return reinterpret_cast<uintptr_t>(object); }

// The entry of the page at `address`; all zeros if there is none.
ForklorePageInfo page_at(pid_t pid, const void* address) {
    ForklorePageInfo page{};
    return page_list(pid, address_of(address), &page, 1) == 1 && page.address == address_of(address) ? page : ForklorePageInfo{};
}
ForkloreRegionInfo region_at(pid_t pid, const void* address) {
    ForkloreRegionInfo region{};
    return region_list(pid, address_of(address), &region, 1) == 1 && region.start <= address_of(address) ? region : ForkloreRegionInfo{};
}

// A child that waits at a gate until the object goes.
struct Waiting {
    Gate gate;
    pid_t pid;
    Waiting() : pid(fork()) {
        if (pid == 0) {
            gate.pass();
            _exit(0);
        }
    }
    ~Waiting() {
        gate.open();
        waitpid(pid, nullptr, 0);
    }
};

}  // namespace

TEST_GROUP(MemoryMap) {
    char* memory = nullptr;
    void setup() override { memory = map_pages(3, MAP_PRIVATE); }
    void teardown() override { munmap(memory, 3 * page_bytes); }
};

TEST(MemoryMap, a_mapping_is_a_region_and_only_what_was_touched_is_there) {
    memory[page_bytes] = 1;
    const ForkloreRegionInfo region = region_at(0, memory);
    CHECK(region.start <= address_of(memory) && region.end >= address_of(memory + 3 * page_bytes));
    LONGS_EQUAL(FL_PROT_READ | FL_PROT_WRITE, region.protection);
    LONGS_EQUAL(FL_REGION_ANONYMOUS, region.kind);
    LONGS_EQUAL(0, region.shared);
    UNSIGNED_LONGS_EQUAL(0, page_at(0, memory).entry);
    UNSIGNED_LONGS_EQUAL(0, page_at(0, memory + 2 * page_bytes).entry);
    const ForklorePageInfo page = page_at(0, memory + page_bytes);
    LONGS_EQUAL(FL_PROT_READ | FL_PROT_WRITE, page.protection);
    UNSIGNED_LONGS_EQUAL(1, page.references);
    UNSIGNED_LONGS_EQUAL_TEXT(page.frame, page.entry & 0xffff'ffff'f000, "the entry holds the frame");
    UNSIGNED_LONGS_EQUAL_TEXT(3, page.entry & 3, "a valid page");
}

TEST(MemoryMap, all_regions_come_in_order_whatever_the_size_of_the_list) {
    ForkloreRegionInfo all[64], one;
    const int count = region_list(0, 0, all, 64);
    CHECK(count > 3 && count < 64);
    uintptr_t from = 0;
    for (int i = 0; i < count; ++i) {
        CHECK(all[i].start >= from && all[i].end > all[i].start);
        LONGS_EQUAL(1, region_list(0, from, &one, 1));
        UNSIGNED_LONGS_EQUAL(all[i].start, one.start);
        from = all[i].end;
    }
    LONGS_EQUAL(0, region_list(0, from, &one, 1));
    LONGS_EQUAL(0, region_list(0, ~uintptr_t{0}, &one, 1));
    LONGS_EQUAL(0, region_list(0, 0, all, 0));
}

TEST(MemoryMap, pages_are_counted_by_region_as_they_are_listed) {
    for (int i = 0; i < 3; ++i) {
        memory[i * page_bytes] = 1;
    }
    static ForklorePageInfo pages[1024];
    static ForkloreRegionInfo regions[64];
    const int region_count = region_list(0, 0, regions, 64);
    const int page_count = page_list(0, 0, pages, 1024);
    CHECK(page_count > 3 && page_count < 1024);
    unsigned long counted = 0;
    for (int i = 0; i < region_count; ++i) {
        counted += regions[i].pages;
    }
    UNSIGNED_LONGS_EQUAL(counted, page_count);
    for (int i = 1; i < page_count; ++i) {
        CHECK(pages[i].address > pages[i - 1].address);
    }
}

TEST(MemoryMap, parent_and_child_have_one_frame_until_one_of_them_writes) {
    memory[0] = 1;
    Waiting child;
    ForklorePageInfo mine = page_at(0, memory), theirs = page_at(child.pid, memory);
    UNSIGNED_LONGS_EQUAL(mine.frame, theirs.frame);
    UNSIGNED_LONGS_EQUAL(2, theirs.references);
    LONGS_EQUAL(FL_PAGE_COPY_ON_WRITE, mine.flags & theirs.flags);
    LONGS_EQUAL(FL_PROT_READ, mine.protection);
    memory[0] = 2;
    mine = page_at(0, memory);
    theirs = page_at(child.pid, memory);
    CHECK(mine.frame != theirs.frame);
    LONGS_EQUAL(FL_PROT_READ | FL_PROT_WRITE, mine.protection);
    UNSIGNED_LONGS_EQUAL(1, theirs.references);
}

TEST(MemoryMap, what_is_shared_with_intent_is_shown_so) {
    char* shared = map_pages(1, MAP_SHARED);
    shared[0] = 1;
    uint64_t frames[2];
    bool marked;
    {
        Waiting child;
        const ForklorePageInfo mine = page_at(0, shared), theirs = page_at(child.pid, shared);
        frames[0] = mine.frame;
        frames[1] = theirs.frame;
        marked = region_at(child.pid, shared).shared == 1 && mine.flags == FL_PAGE_SHARED && theirs.flags == FL_PAGE_SHARED;
    }
    munmap(shared, page_bytes);
    CHECK(frames[0] != 0);
    UNSIGNED_LONGS_EQUAL(frames[0], frames[1]);
    CHECK(marked);
}

TEST(MemoryMap, a_child_on_loan_shows_its_lenders_memory) {
    memory[0] = 1;
    Gate lent, go_on;
    const pid_t lender = fork();
    if (lender == 0) {
        if (const pid_t pid = vfork(); pid == 0) {
            const pid_t self = getpid();
            write(lent.writer(), &self, sizeof self);
            go_on.pass();
            _exit(0);
        }
        _exit(0);
    }
    pid_t child = -1;
    read(lent.reader(), &child, sizeof child);
    const ForklorePageInfo lenders = page_at(lender, memory), childs = page_at(child, memory);
    go_on.open();
    waitpid(lender, nullptr, 0);
    CHECK(childs.entry != 0);
    UNSIGNED_LONGS_EQUAL(lenders.entry, childs.entry);
    UNSIGNED_LONGS_EQUAL_TEXT(2, childs.references, "the test's and the lender's, no third");
}

TEST(MemoryMap, a_zombie_has_none) {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    CHECK(wait_for_state(pid, FL_PROC_ZOMBIE));
    ForkloreRegionInfo region;
    ForklorePageInfo page;
    const int regions = region_list(pid, 0, &region, 1), pages = page_list(pid, 0, &page, 1);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(0, regions);
    LONGS_EQUAL(0, pages);
}

TEST(MemoryMap, a_process_that_is_not_there_is_ESRCH) {
    ForkloreRegionInfo region;
    ForklorePageInfo page;
    for (pid_t pid : {99'998, 1'000'000, -1, -2}) {
        FAILS_WITH(ESRCH, region_list(pid, 0, &region, 1));
        FAILS_WITH(ESRCH, page_list(pid, 0, &page, 1));
    }
}

TEST(MemoryMap, a_user_sees_the_memory_of_the_own_processes_alone) {
    LONGS_EQUAL(0, exited(in_child([] {
        ForkloreRegionInfo region;
        ForklorePageInfo page;
        LEAVE_UNLESS(setuid(1000) == 0);
        LEAVE_UNLESS(region_list(0, 0, &region, 1) == 1 && region_list(getpid(), 0, &region, 1) == 1);
        LEAVE_UNLESS(region_list(getppid(), 0, &region, 1) == -1 && errno == EPERM);
        LEAVE_UNLESS(page_list(getppid(), 0, &page, 1) == -1 && errno == EPERM);
        LEAVE_UNLESS(region_list(1, 0, &region, 1) == -1 && errno == EPERM);
        Waiting child;
        LEAVE_UNLESS(region_list(child.pid, 0, &region, 1) == 1);
        return 0;
    })));
}

// The memory goes while it is looked at: by exec, which puts another in its place, and at the end.
TEST(MemoryMap, may_be_looked_at_while_it_comes_and_goes) {
    static ForklorePageInfo pages[64];
    int looks = 0, failures = 0;
    for (int round = 0; round < 20; ++round) {
        const pid_t pid = fork();
        if (pid == 0) {
            execl("/bin/true", "true", nullptr);
            _exit(99);
        }
        while (state_of(pid) != FL_PROC_ZOMBIE) {
            failures += page_list(pid, 0, pages, 64) < 0;
            ++looks;
        }
        waitpid(pid, nullptr, 0);
    }
    CHECK(looks > 20);
    LONGS_EQUAL(0, failures);
}
