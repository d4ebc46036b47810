// Memory: heap, mappings, stack, protection.
#include "support.h"

#include <sys/mman.h>

TEST("the heap grows and shrinks") {
    char* before = static_cast<char*>(sbrk(0));
    CHECK(sbrk(1 << 20) == before);
    before[0] = before[(1 << 20) - 1] = 1;
    CHECK(sbrk(-(1 << 20)) != (void*)-1);
    CHECK(sbrk(0) == before);
}

TEST("fresh memory is zero, also after it was used") {
    for (int round = 0; round < 3; ++round) {
        char* page = static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(page != MAP_FAILED);
        const int sum = page[0] | page[4096] | page[8191];
        memset(page, 0xaa, 8192);
        munmap(page, 8192);
        EQUAL(0, sum);
    }
}

TEST("an unmapped page is gone") {
    EQUAL(SIGSEGV, killed_by(in_child([] {
        char* page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        page[0] = 1;
        munmap(page, 4096);
        return page[0];
    })));
}

TEST("mprotect takes the right to write away") {
    EQUAL(SIGSEGV, killed_by(in_child([] {
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

TEST("no page is writable and executable") {
    CHECK(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

TEST("the stack grows by a megabyte") {
    EQUAL(1, exited(in_child([] {
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

TEST("a stack overflow is SIGSEGV") {
    EQUAL(SIGSEGV, killed_by(in_child([] { return deeper(1); })));
}

TEST("executing data is SIGSEGV") {
    EQUAL(SIGSEGV, killed_by(in_child([] {
        static unsigned code[] = {0xd65f03c0};
        reinterpret_cast<void (*)()>(code)();
        return 0;
    })));
}

TEST("a mapping of the kernel's addresses is refused") {
    CHECK(mmap(reinterpret_cast<void*>(0xffffff8000000000), 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
          == MAP_FAILED);
}

TEST("length 0 is EINVAL") {
    errno = 0;
    CHECK(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    EQUAL(EINVAL, errno);
}

TEST("malloc gives everything back that it can") {
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
