// fork: what the child has and what it does not share.
#include "support.h"

#include <sys/mman.h>

static int variable = 1;

TEST("the child sees 0 and the parent the child's pid") {
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(7);
    }
    CHECK(pid > 0);
    EQUAL(pid, waitpid(pid, &status, 0));
    EQUAL(7, exited(status));
}

TEST("the child's parent is the process that forked") {
    const pid_t parent = getpid();
    EQUAL(1, exited(in_child([&] { return getppid() == parent; })));
}

TEST("the child has a pid of its own") {
    const pid_t parent = getpid();
    EQUAL(1, exited(in_child([&] { return getpid() != parent; })));
}

TEST("the child sees memory as it was at the fork") {
    variable = 42;
    EQUAL(42, exited(in_child([] { return variable; })));
}

TEST("the parent does not see what the child writes") {
    variable = 5;
    EQUAL(9, exited(in_child([] { return variable = 9; })));
    EQUAL(5, variable);
}

TEST("the child does not see what the parent writes after the fork") {
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
    EQUAL(pid, waitpid(pid, &status, 0));
    close(go[0]);
    close(go[1]);
    EQUAL(11, exited(status));
}

TEST("the stack is copied too") {
    volatile int local = 3;
    EQUAL(4, exited(in_child([&] {
        local = local + 1;
        return static_cast<int>(local);
    })));
    EQUAL(3, local);
}

TEST("the heap is copied too") {
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
    EQUAL(0, exited(status));
    EQUAL('a', end);
}

TEST("a shared mapping stays shared") {
    auto* shared = static_cast<int*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(shared != MAP_FAILED);
    *shared = 1;
    in_child([&] { return *shared = 77; });
    const int seen = *shared;
    munmap(shared, 4096);
    EQUAL(77, seen);
}

TEST("the child shares the file offset") {
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
    EQUAL(2, offset);
}

TEST("closing in the child leaves the parent's descriptor open") {
    const int fd = open("/dev/null", O_RDWR);
    in_child([&] { return close(fd); });
    const int flags = fcntl(fd, F_GETFD);
    close(fd);
    EQUAL(0, flags);
}

TEST("twenty children at once all give their own status") {
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
    EQUAL(20, right);
}

TEST("grandchildren work") {
    EQUAL(6, exited(in_child([] { return exited(in_child([] { return 5; })) + 1; })));
}

TEST("floating point registers reach the child and stay with the parent") {
    volatile double value = 1.5;
    EQUAL(3, exited(in_child([&] { return static_cast<int>(value * 2); })));
    CHECK(value * 4 == 6.0);
}

TEST("the child's writes of many pages leave the parent's alone") {
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
    EQUAL(pages, right);
}
