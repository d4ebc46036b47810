// fork: what the child has and what it does not share.
#include "user/support/support.h"

#include <sys/resource.h>
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

TEST(Fork, what_the_child_maps_unmaps_and_protects_is_its_own_affair) {
    auto* page = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(page != MAP_FAILED);
    page[0] = 1;
    in_child([&] { return mprotect(const_cast<char*>(page), 4096, PROT_READ); });
    page[0] = 2;
    in_child([&] { return munmap(const_cast<char*>(page), 4096); });
    const char seen = page[0];
    munmap(const_cast<char*>(page), 4096);
    LONGS_EQUAL(2, seen);
}

TEST(Fork, protection_is_inherited) {
    auto* page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(page != MAP_FAILED);
    page[0] = 1;
    mprotect(page, 4096, PROT_READ);
    const int status = in_child([&] {
        *const_cast<volatile char*>(page) = 2;
        return 0;
    });
    munmap(page, 4096);
    LONGS_EQUAL(SIGSEGV, killed_by(status));
}

TEST(Fork, a_page_that_was_never_touched_is_zero_in_both_and_private) {
    auto* page = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    CHECK(page != MAP_FAILED);
    const int status = in_child([&] {
        const char first = page[7];
        page[7] = 5;
        return first;
    });
    const char seen = page[7];
    munmap(const_cast<char*>(page), 4096);
    LONGS_EQUAL(0, exited(status));
    LONGS_EQUAL(0, seen);
}

TEST(Fork, a_shared_page_that_was_never_touched_is_shared) {
    auto* page = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(page != MAP_FAILED);
    in_child([&] {
        page[7] = 5;
        return 0;
    });
    const char seen = page[7];
    munmap(const_cast<char*>(page), 4096);
    LONGS_EQUAL(5, seen);
}

TEST(Fork, memory_stays_apart_over_three_generations) {
    variable = 1;
    LONGS_EQUAL(0, exited(in_child([] {
        variable = 2;
        const int below = exited(in_child([] {
            const int found = variable;
            variable = 3;
            return found;
        }));
        return below == 2 && variable == 2 ? 0 : 1;
    })));
    LONGS_EQUAL(1, variable);
}

TEST(Fork, a_child_that_lives_on_keeps_its_view_when_the_parent_writes_everything) {
    constexpr int pages = 64;
    static int block[pages][1024];
    for (auto& page : block) {
        page[0] = 1;
    }
    Gate gate;
    const pid_t pid = fork();
    if (pid == 0) {
        gate.pass();
        int sum = 0;
        for (auto& page : block) {
            sum += page[0];
        }
        _exit(sum);
    }
    for (auto& page : block) {
        page[0] = 2;
    }
    gate.open();
    int status;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(pages, exited(status));
}

TEST(Fork, umask_directory_group_session_and_nice_level_are_inherited) {
    const mode_t mask = umask(031);
    const pid_t group = getpgrp(), session = getsid(0);
    chdir("/tmp");
    const int status = in_child([&] {
        char path[64];
        return strcmp(getcwd(path, sizeof path), "/tmp") == 0 && umask(0) == 031 && getpgrp() == group && getsid(0) == session ? 0 : 1;
    });
    chdir("/");
    const mode_t kept = umask(mask);
    LONGS_EQUAL(0, exited(status));
    LONGS_EQUAL(031, kept);
}

TEST(Fork, the_childs_times_start_at_zero) {
    // Time is sampled: go on until some of ours has been counted, far more than the child needs.
    struct rusage own;
    do {
        for (int i = 0; i < 1'000'000; ++i) {
            asm volatile("");
        }
        getrusage(RUSAGE_SELF, &own);
    } while (own.ru_utime.tv_sec == 0 && own.ru_utime.tv_usec < 50'000);
    const int status = in_child([&] {
        struct rusage usage, children;
        getrusage(RUSAGE_SELF, &usage);
        getrusage(RUSAGE_CHILDREN, &children);
        return (usage.ru_utime.tv_sec < own.ru_utime.tv_sec || usage.ru_utime.tv_usec < own.ru_utime.tv_usec) &&
               children.ru_utime.tv_sec == 0 && children.ru_utime.tv_usec == 0 ? 0 : 1;
    });
    LONGS_EQUAL(0, exited(status));
}

TEST(Fork, pids_are_not_given_twice_while_a_zombie_has_them) {
    pid_t pids[30];
    for (pid_t& pid : pids) {
        pid = fork();
        if (pid == 0) {
            _exit(0);
        }
    }
    int twice = 0;
    for (int i = 0; i < 30; ++i) {
        for (int j = 0; j < i; ++j) {
            twice += pids[i] == pids[j];
        }
    }
    for (const pid_t pid : pids) {
        waitpid(pid, nullptr, 0);
    }
    LONGS_EQUAL(0, twice);
}
