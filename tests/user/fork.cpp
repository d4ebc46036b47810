// fork: what the child has and what it does not share.
#include "user/support/support.h"

#include <sys/mman.h>

TEST_GROUP(Fork) {};

static int variable = 1;

TEST(Fork, the_child_sees_0_and_the_parent_the_childs_pid) {
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(7);
    }
    CHECK(pid > 0);
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(7, exited(status));
}

TEST(Fork, the_childs_parent_is_the_process_that_forked) {
    const pid_t parent = getpid();
    LONGS_EQUAL(1, exited(in_child([&] { return getppid() == parent; })));
}

TEST(Fork, the_child_has_a_pid_of_its_own) {
    const pid_t parent = getpid();
    LONGS_EQUAL(1, exited(in_child([&] { return getpid() != parent; })));
}

TEST(Fork, the_child_sees_memory_as_it_was_at_the_fork) {
    variable = 42;
    LONGS_EQUAL(42, exited(in_child([] { return variable; })));
}

TEST(Fork, the_parent_does_not_see_what_the_child_writes) {
    variable = 5;
    LONGS_EQUAL(9, exited(in_child([] { return variable = 9; })));
    LONGS_EQUAL(5, variable);
}

TEST(Fork, the_child_does_not_see_what_the_parent_writes_after_the_fork) {
    int go[2];
    CHECK(pipe(go) == 0);
    variable = 11;
    const pid_t pid = fork();
    if (pid == 0) {
        char byte;
        read(go[0], &byte, 1);
        _exit(variable);
    }
    variable = 99;
    write(go[1], "x", 1);
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    close(go[0]);
    close(go[1]);
    LONGS_EQUAL(11, exited(status));
}

TEST(Fork, the_stack_is_copied_too) {
    volatile int local = 3;
    LONGS_EQUAL(4, exited(in_child([&] {
        local = local + 1;
        return static_cast<int>(local);
    })));
    LONGS_EQUAL(3, local);
}

TEST(Fork, the_heap_is_copied_too) {
    char* block = static_cast<char*>(malloc(100000));
    CHECK(block != nullptr);
    memset(block, 'a', 100000);
    const int status = in_child([&] {
        for (int i = 0; i < 100000; ++i) {
            if (block[i] != 'a') {
                return 1;
            }
        }
        memset(block, 'b', 100000);
        return 0;
    });
    const char end = block[99999];
    free(block);
    LONGS_EQUAL(0, exited(status));
    LONGS_EQUAL('a', end);
}

TEST(Fork, a_shared_mapping_stays_shared) {
    auto* shared = static_cast<int*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(shared != MAP_FAILED);
    *shared = 1;
    in_child([&] { return *shared = 77; });
    const int seen = *shared;
    munmap(shared, 4096);
    LONGS_EQUAL(77, seen);
}

TEST(Fork, the_child_shares_the_file_offset) {
    const int fd = open("/tmp/offset", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    write(fd, "abcdef", 6);
    lseek(fd, 0, SEEK_SET);
    in_child([&] {
        char two[2];
        return read(fd, two, 2);
    });
    const long offset = lseek(fd, 0, SEEK_CUR);
    close(fd);
    unlink("/tmp/offset");
    LONGS_EQUAL(2, offset);
}

TEST(Fork, closing_in_the_child_leaves_the_parents_descriptor_open) {
    const int fd = open("/dev/null", O_RDWR);
    in_child([&] { return close(fd); });
    const int flags = fcntl(fd, F_GETFD);
    close(fd);
    LONGS_EQUAL(0, flags);
}

TEST(Fork, twenty_children_at_once_all_give_their_own_status) {
    pid_t pids[20];
    for (int i = 0; i < 20; ++i) {
        pids[i] = fork();
        if (pids[i] == 0) {
            _exit(i);
        }
    }
    int right = 0;
    for (int i = 0; i < 20; ++i) {
        int status;
        right += waitpid(pids[i], &status, 0) == pids[i] && exited(status) == i;
    }
    LONGS_EQUAL(20, right);
}

TEST(Fork, grandchildren_work) {
    LONGS_EQUAL(6, exited(in_child([] { return exited(in_child([] { return 5; })) + 1; })));
}

TEST(Fork, floating_point_registers_reach_the_child_and_stay_with_the_parent) {
    volatile double value = 1.5;
    LONGS_EQUAL(3, exited(in_child([&] { return static_cast<int>(value * 2); })));
    CHECK(value * 4 == 6.0);
}

TEST(Fork, the_childs_writes_of_many_pages_leave_the_parents_alone) {
    constexpr int pages = 200;
    char* block = static_cast<char*>(mmap(nullptr, pages * 4096, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(block != MAP_FAILED);
    for (int i = 0; i < pages; ++i) {
        block[i * 4096] = static_cast<char>(i);
    }
    in_child([&] {
        for (int i = 0; i < pages; ++i) {
            block[i * 4096] = -1;
        }
        return 0;
    });
    int right = 0;
    for (int i = 0; i < pages; ++i) {
        right += block[i * 4096] == static_cast<char>(i);
    }
    munmap(block, pages * 4096);
    LONGS_EQUAL(pages, right);
}
