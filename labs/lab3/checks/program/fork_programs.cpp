// Lab 3 at EL0: whole programs on the student's fork, on four cores.
#include <atomic>
#include <pthread.h>
#include <sys/mman.h>

#include "grader/runner/seed.h"
#include "grader/target/program/program_check.h"
#include "user/support/support.h"

namespace {

constexpr size_t page = 4096;
alignas(page) volatile uint64_t written[page / 8], untouched[page / 8];

std::string words(std::initializer_list<unsigned long> numbers) {
    std::string text;
    for (unsigned long number : numbers) {
        text += std::to_string(number) + " ";
    }
    return text;
}

// The core that runs it has the page in its TLB as one that it may write.
std::atomic<bool> stop{false}, began{false};
void* write_on_and_on(void*) {
    for (uint64_t i = 0; !stop; ++i) {
        written[8] = i;
        began = true;
        if (i % 64 == 0) {
            asm volatile("yield");      // QEMU's next core has its turn
        }
    }
    return nullptr;
}

unsigned long address(const volatile void* pointer) { return reinterpret_cast<unsigned long>(pointer); }

}  // namespace

TEST_GROUP(ForkMachine) {};

TEST(ForkMachine, runs_the_shell_and_forktest) {
    LONGS_EQUAL_TEXT(0, shell("forktest 1"), "the shell's status");
    LONGS_EQUAL_TEXT(0, shell("seq 1 50 | grep 7 | wc; sleep 0 & wait"), "pipes and jobs in the background");
}

TEST(ForkMachine, pages_and_links_are_right_when_seen_from_outside) {
    CheckRandom random(3);
    const uint64_t of_parent = random.next(), of_child = random.next(), of_both = random.next();
    auto* shared = static_cast<volatile uint64_t*>(mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    shared[0] = 1;
    written[0] = of_both;
    untouched[0] = of_both;
    Gate ready, leave;
    const pid_t child = fork();
    if (child == 0) {
        written[0] = of_child;
        shared[0] = 2;
        ready.open();
        leave.pass();
        _exit(written[0] == of_child && untouched[0] == of_both ? 7 : 1);
    }
    CHECK_TRUE_TEXT(child > 0, "fork makes a child");
    ready.pass();
    LONGS_EQUAL_TEXT(2, shared[0], "what the child wrote into shared memory");
    written[0] = of_parent;
    let_the_grader_look(words({static_cast<unsigned long>(getpid()), static_cast<unsigned long>(child), address(written), address(untouched), address(shared)}));
    leave.open();
    int status = -1;
    LONGS_EQUAL(child, waitpid(child, &status, 0));
    LONGS_EQUAL_TEXT(7, exited(status), "the child has its own memory");
}

TEST(ForkMachine, parent_and_child_keep_their_floating_point_registers) {
    double kept[8];
    for (int i = 0; i < 8; ++i) {
        kept[i] = i + 0.5;
    }
    asm volatile("ldp d8, d9, [%0]\n\tldp d10, d11, [%0, #16]\n\tldp d12, d13, [%0, #32]\n\tldp d14, d15, [%0, #48]" ::"r"(kept)
                 : "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15");
    const pid_t child = fork();
    double found[8];
    asm volatile("stp d8, d9, [%0]\n\tstp d10, d11, [%0, #16]\n\tstp d12, d13, [%0, #32]\n\tstp d14, d15, [%0, #48]" ::"r"(found) : "memory");
    const bool same = memcmp(kept, found, sizeof kept) == 0;
    if (child == 0) {
        _exit(same ? 7 : 1);
    }
    int status = -1;
    LONGS_EQUAL(child, waitpid(child, &status, 0));
    CHECK_TRUE_TEXT(same, "d8 to d15 of the parent");
    LONGS_EQUAL_TEXT(7, exited(status), "the child looks at its d8 to d15, and says 7 if they are its parent's");
}

TEST(ForkMachine, two_hundred_forks_leave_nothing_behind) {
    const std::string lost = lost_by([] {
        for (int i = 0; i < 200; ++i) {
            LONGS_EQUAL_TEXT(i % 7, exited(in_child([i] {
                written[0] = static_cast<uint64_t>(i);
                return i % 7;
            })), "a child's status");
        }
    });
    STRCMP_EQUAL_TEXT("", lost.c_str(), "what 200 forks did not give back");
}

TEST(ForkMachine, a_thread_on_another_core_writes_nothing_into_the_child) {
    pthread_t writer;
    LONGS_EQUAL(0, pthread_create(&writer, nullptr, write_on_and_on, nullptr));
    while (!began) {
        usleep(100);
    }
    int changed = 0;
    for (int i = 0; i < 20; ++i) {
        changed += exited(in_child([] {
            const uint64_t then = written[8];
            for (int round = 0; round < 50; ++round) {
                if (written[8] != then) {
                    return 1;
                }
                usleep(20);
            }
            return 0;
        })) != 0;
    }
    stop = true;
    pthread_join(writer, nullptr);
    LONGS_EQUAL_TEXT(0, changed, "children in whose memory a thread of the parent wrote");
}
