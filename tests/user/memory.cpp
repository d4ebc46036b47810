// Memory: heap, mappings, stack, protection.
#include "user/support/support.h"

#include <sys/mman.h>

TEST_GROUP(Memory) {};

TEST(Memory, the_heap_grows_and_shrinks) {
    char* before = static_cast<char*>(sbrk(0));
    CHECK(sbrk(1 << 20) == before);
    before[0] = before[(1 << 20) - 1] = 1;
    CHECK(sbrk(-(1 << 20)) != (void*)-1);
    CHECK(sbrk(0) == before);
}

TEST(Memory, fresh_memory_is_zero_also_after_it_was_used) {
    for (int round = 0; round < 3; ++round) {
        char* page = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(page != MAP_FAILED);
        const int sum = page[0] | page[4096] | page[8191];
        memset(page, 0xaa, 8192);
        munmap(page, 8192);
        LONGS_EQUAL(0, sum);
    }
}

TEST(Memory, an_unmapped_page_is_gone) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        char* page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        page[0] = 1;
        munmap(page, 4096);
        return page[0];
    })));
}

TEST(Memory, mprotect_takes_the_right_to_write_away) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        volatile char* page =
            static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        page[0] = 1;
        if (mprotect((void*)page, 4096, PROT_READ) != 0 || page[0] != 1) {
            return 1;
        }
        page[0] = 2;
        return 0;
    })));
}

TEST(Memory, no_page_is_writable_and_executable) {
    CHECK(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

TEST(Memory, the_stack_grows_by_a_megabyte) {
    LONGS_EQUAL(1, exited(in_child([] {
        volatile char large[1 << 20];
        large[0] = 1;
        large[(1 << 20) - 1] = 1;
        return static_cast<int>(large[0]);
    })));
}

[[gnu::noinline]] static int deeper(int depth) {
    volatile char frame[1024];
    frame[0] = static_cast<char>(depth);
    return depth == 0 ? 0 : deeper(depth + 1) + frame[0];
}

TEST(Memory, a_stack_overflow_is_SIGSEGV) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] { return deeper(1); })));
}

TEST(Memory, executing_data_is_SIGSEGV) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        static unsigned code[] = {0xd65f03c0};
        reinterpret_cast<void (*)()>(code)();
        return 0;
    })));
}

TEST(Memory, a_mapping_of_the_kernels_addresses_is_refused) {
    CHECK(mmap(reinterpret_cast<void*>(0xffffff8000000000), 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
          == MAP_FAILED);
}

TEST(Memory, length_0_is_EINVAL) {
    errno = 0;
    CHECK(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    LONGS_EQUAL(EINVAL, errno);
}

TEST(Memory, malloc_gives_everything_back_that_it_can) {
    for (int round = 0; round < 20; ++round) {
        void* blocks[50];
        for (int i = 0; i < 50; ++i) {
            blocks[i] = malloc(static_cast<size_t>(100 + i * 37));
            CHECK(blocks[i] != nullptr);
        }
        for (void* block : blocks) {
            free(block);
        }
    }
}
