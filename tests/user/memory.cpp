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

TEST(Memory, MAP_FIXED_takes_the_place_of_what_was_there) {
    char* block = static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(block != MAP_FAILED);
    memset(block, 'x', 3 * 4096);
    void* middle = mmap(block + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    const bool right = middle == block + 4096 && block[4095] == 'x' && block[4096] == 0 && block[8192] == 'x';
    munmap(block, 3 * 4096);
    CHECK(right);
}

TEST(Memory, a_hole_in_a_mapping_faults_and_its_sides_stay) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        volatile char* block =
            static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        block[0] = 1;
        block[4096] = 1;
        block[8192] = 1;
        munmap(const_cast<char*>(block) + 4096, 4096);
        if (block[0] + block[8192] != 2) {
            return 1;
        }
        return static_cast<int>(block[4096]);
    })));
}

TEST(Memory, unmapping_what_is_not_mapped_succeeds) {
    char* block = static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    LONGS_EQUAL(0, munmap(block, 4096));
    LONGS_EQUAL(0, munmap(block, 4096));
    FAILS_WITH(EINVAL, munmap(block + 1, 4096));
    FAILS_WITH(EINVAL, munmap(block, 0));
}

TEST(Memory, mprotect_over_a_hole_is_ENOMEM) {
    char* block = static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(block + 4096, 4096);
    errno = 0;
    const int result = mprotect(block, 3 * 4096, PROT_READ), error = errno;
    munmap(block, 3 * 4096);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(ENOMEM, error);
}

TEST(Memory, PROT_NONE_forbids_even_reading_and_the_contents_stay) {
    volatile char* page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    page[5] = 55;
    mprotect(const_cast<char*>(page), 4096, PROT_NONE);
    const int status = in_child([&] { return static_cast<int>(page[5]); });
    mprotect(const_cast<char*>(page), 4096, PROT_READ);
    const char seen = page[5];
    munmap(const_cast<char*>(page), 4096);
    LONGS_EQUAL(SIGSEGV, killed_by(status));
    LONGS_EQUAL(55, seen);
}

TEST(Memory, a_mapping_costs_only_the_pages_that_are_touched) {
    constexpr size_t size = 256 << 20;
    ForkloreSysinfo before, after;
    sysinfo(&before);
    volatile char* block = static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(block != MAP_FAILED);
    block[0] = 1;
    block[size / 2] = 1;
    block[size - 1] = 1;
    sysinfo(&after);
    munmap(const_cast<char*>(block), size);
    LONGS_EQUAL(before.pages_anonymous + 3, after.pages_anonymous);
}

TEST(Memory, neither_private_nor_shared_or_both_is_EINVAL) {
    errno = 0;
    CHECK(mmap(nullptr, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    LONGS_EQUAL(EINVAL, errno);
}

TEST(Memory, an_unaligned_fixed_address_is_EINVAL) {
    errno = 0;
    CHECK(mmap(reinterpret_cast<void*>(0x30000010), 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    LONGS_EQUAL(EINVAL, errno);
}

TEST(Memory, the_first_pages_cannot_be_mapped) {
    CHECK(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
}

TEST(Memory, a_length_that_wraps_around_is_refused) {
    CHECK(mmap(nullptr, ~0ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(mmap(nullptr, ~0ul - 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    FAILS_WITH(EINVAL, munmap(reinterpret_cast<void*>(0x10000), ~0ul));
}

TEST(Memory, a_private_mapping_of_a_file_keeps_its_writes_to_itself) {
    const int fd = open("/tmp/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "abcdef", 6);
    char* text = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    if (text == MAP_FAILED) {
        close(fd);
        unlink("/tmp/mapped");
        FAIL("a file cannot be mapped");
    }
    const bool right = memcmp(text, "abcdef", 7) == 0;
    text[0] = 'X';
    char first = 0;
    lseek(fd, 0, SEEK_SET);
    read(fd, &first, 1);
    munmap(text, 4096);
    close(fd);
    unlink("/tmp/mapped");
    CHECK(right);
    LONGS_EQUAL('a', first);
}
