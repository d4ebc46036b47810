// Lab 4 at EL0: whole programs on the student's vfork.
#include "grader/target/program/program_check.h"
#include "user/support/support.h"

namespace {

std::string pids(pid_t parent, pid_t child) { return std::to_string(parent) + " " + std::to_string(child); }

// The status of a child that exits with `wanted`, and has become another program first if that is 0.
int vfork_status(int wanted) {
    const pid_t child = vfork();
    if (child == 0) {
        if (wanted == 0) {
            execl("/bin/true", "true", nullptr);
        }
        _exit(wanted);
    }
    int status = -1;
    return waitpid(child, &status, 0) == child ? exited(status) : -1;
}

ROLE(waits_to_be_killed) {
    for (;;) {
        pause();
    }
}

}  // namespace

TEST_GROUP(VforkMachine) {};

TEST(VforkMachine, runs_the_shell_which_starts_programs_by_it) {
    LONGS_EQUAL_TEXT(0, shell("seq 1 50 | grep 7 | wc; sleep 0 & wait"), "the shell's status");
    LONGS_EQUAL_TEXT(3, exited(in_child([] {
        const pid_t child = vfork();
        if (child == 0) {
            execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
            _exit(127);
        }
        int status = -1;
        waitpid(child, &status, 0);
        return exited(status);
    })), "a shell that a child of vfork became");
}

TEST(VforkMachine, the_loan_is_right_when_seen_from_outside) {
    const pid_t parent = getpid();
    const pid_t child = vfork();
    if (child == 0) {
        let_the_grader_look(pids(parent, getpid()));
        _exit(7);
    }
    CHECK_TRUE_TEXT(child > 0, "vfork makes a child");
    int status = -1;
    LONGS_EQUAL(child, waitpid(child, &status, 0));
    LONGS_EQUAL_TEXT(7, exited(status), "the child's status");
}

TEST(VforkMachine, the_thread_is_home_when_seen_from_outside) {
    const pid_t child = vfork();
    if (child == 0) {
        execl(program_path, program_path, "role", "waits_to_be_killed", nullptr);
        _exit(127);
    }
    CHECK_TRUE_TEXT(child > 0, "vfork returns in the parent");
    usleep(1000);
    let_the_grader_look(pids(getpid(), child));
    kill(child, SIGKILL);
    int status = -1;
    LONGS_EQUAL(child, waitpid(child, &status, 0));
    LONGS_EQUAL(SIGKILL, killed_by(status));
}

TEST(VforkMachine, the_parent_finds_its_floating_point_registers) {
    double kept[8], found[8];
    for (int i = 0; i < 8; ++i) {
        kept[i] = i + 0.5;
    }
    asm volatile("ldp d8, d9, [%0]\n\tldp d10, d11, [%0, #16]\n\tldp d12, d13, [%0, #32]\n\tldp d14, d15, [%0, #48]" ::"r"(kept)
                 : "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15");
    const pid_t child = vfork();
    if (child == 0) {
        asm volatile("movi v8.2d, #0\n\tmovi v9.2d, #0\n\tmovi v10.2d, #0\n\tmovi v11.2d, #0\n\t"
                     "movi v12.2d, #0\n\tmovi v13.2d, #0\n\tmovi v14.2d, #0\n\tmovi v15.2d, #0");
        usleep(100);        // its core is somebody else's meanwhile
        _exit(0);
    }
    asm volatile("stp d8, d9, [%0]\n\tstp d10, d11, [%0, #16]\n\tstp d12, d13, [%0, #32]\n\tstp d14, d15, [%0, #48]" ::"r"(found) : "memory");
    CHECK_TRUE_TEXT(child > 0, "vfork makes a child");
    LONGS_EQUAL(child, waitpid(child, nullptr, 0));
    CHECK_TRUE_TEXT(memcmp(kept, found, sizeof kept) == 0, "d8 to d15, which the child set to 0");
}

TEST(VforkMachine, two_hundred_vforks_leave_nothing_behind) {
    const std::string lost = lost_by([] {
        for (int i = 0; i < 200; ++i) {
            LONGS_EQUAL_TEXT(i % 4, vfork_status(i % 4), "a child's status");
        }
    });
    STRCMP_EQUAL_TEXT("", lost.c_str(), "what 200 vforks did not give back");
}
