// What happens when there is no memory left: somebody ends, and it is the right one.
#include "user/support/support.h"

#include <sys/mman.h>

TEST_GROUP(MemoryPressure) {};

static constexpr size_t mega = 1 << 20;

// So much memory, touched; false if there is no address space for it.
static bool take(size_t megas) {
    void* memory = mmap(nullptr, megas * mega, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    for (size_t at = 0; at < megas * mega; at += 4096) {
        static_cast<char*>(memory)[at] = 1;
    }
    return true;
}

static size_t megas_free() {
    ForkloreSysinfo info;
    sysinfo(&info);
    return info.pages_free * info.page_size / mega;
}

// A child in that band that holds so much memory and waits for its end.
static pid_t holder(int band, size_t megas) {
    Gate ready;
    const pid_t pid = fork();
    if (pid == 0) {
        memory_band(0, band);
        take(megas);
        ready.open();
        for (;;) {
            pause();
        }
    }
    ready.pass();
    return pid;
}
// One that leaves less to the others than one program can take.
static pid_t ballast() { return holder(FL_BAND_DEFAULT, megas_free() - 48); }

static bool lives(pid_t pid) { return state_of(pid) == FL_PROC_SLEEPING; }
static void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
}

// A child that takes a little more than there is: with what is left on other cores, less than `spare`.
static constexpr size_t spare = 16;
struct Outcome {
    pid_t ended;
    int status;
    int taker;      // the taker's own status
};
static Outcome exhaust() {
    const pid_t taker = fork();
    if (taker == 0) {
        _exit(take(megas_free() + spare / 4) ? 0 : 1);
    }
    Outcome outcome = {-1, -1, -1};
    outcome.ended = waitpid(-1, &outcome.status, 0);
    outcome.taker = outcome.status;
    if (outcome.ended != taker) {
        waitpid(taker, &outcome.taker, 0);
    }
    return outcome;
}

// True if the kernel's log names the process and its band.
static bool log_tells_of(pid_t pid, int band) {
    static char text[4096];
    const int length = klog(text, sizeof text - 1);
    text[length > 0 ? length : 0] = 0;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "memory_pressure (%d) of band %d ends", static_cast<int>(pid), band);
    return strstr(text, wanted) != nullptr;
}

TEST(MemoryPressure, ends_the_process_of_the_lowest_band_and_tells_and_the_others_go_on) {
    const pid_t high = holder(FL_BAND_CRITICAL, 8), large = ballast();
    const pid_t lowest = holder(FL_BAND_IDLE, spare), low = holder(FL_BAND_BACKGROUND, spare + 4);
    const Outcome outcome = exhaust();
    const bool others_live = lives(high) && lives(low) && lives(large) && lives(1);
    const bool told = log_tells_of(lowest, FL_BAND_IDLE);
    end(high);
    end(low);
    end(large);
    LONGS_EQUAL(lowest, outcome.ended);
    LONGS_EQUAL(SIGKILL, killed_by(outcome.status));
    LONGS_EQUAL(0, exited(outcome.taker));
    CHECK(others_live);
    CHECK(told);
}

TEST(MemoryPressure, ends_the_largest_process_of_a_band) {
    const pid_t small = holder(FL_BAND_DEFAULT, 8), large = ballast();
    const Outcome outcome = exhaust();
    const bool small_lives = lives(small);
    end(small);
    LONGS_EQUAL(large, outcome.ended);
    LONGS_EQUAL(SIGKILL, killed_by(outcome.status));
    LONGS_EQUAL(0, exited(outcome.taker));
    CHECK(small_lives);
}

// Adds so much to a file, by a child of the default band; the errno of it.
static int append_to_file(size_t megas) {
    return exited(in_child([megas] {
        static char block[65536];
        errno = 0;      // its page is the child's own from here: no fault comes when memory is used up
        const int fd = open("/tmp/large", O_WRONLY | O_CREAT | O_APPEND, 0600);
        for (size_t done = 0; done < megas * mega;) {
            const ssize_t written = write(fd, block, sizeof block);
            if (written < 0) {
                const int error = errno;
                ftruncate(fd, 0);       // or somebody's page fault is next
                return error;
            }
            done += static_cast<size_t>(written);
        }
        return 0;
    }));
}

TEST(MemoryPressure, a_call_that_finds_no_memory_ends_who_is_of_a_lower_band_and_is_refused_else) {
    const pid_t large = ballast(), low = holder(FL_BAND_BACKGROUND, 24);
    const int first = append_to_file(32);       // of 48, and 24 are taken
    int status = -1;
    const pid_t ended = waitpid(low, &status, WNOHANG);
    const int second = append_to_file(32);
    unlink("/tmp/large");
    const bool large_lives = lives(large);
    end(large);
    LONGS_EQUAL(0, first);
    LONGS_EQUAL(low, ended);
    LONGS_EQUAL(SIGKILL, killed_by(status));
    LONGS_EQUAL(ENOMEM, second);
    CHECK(large_lives);
}

TEST(MemoryPressure, a_child_has_its_parents_band_but_none_above_the_default) {
    const auto band_of_a_child = [] { return exited(in_child([] { return memory_band(0, -1); })); };
    const auto band_of_a_vforked_child = [] {
        const pid_t pid = vfork();
        if (pid == 0) {
            _exit(memory_band(0, -1));
        }
        int status = -1;
        waitpid(pid, &status, 0);
        return exited(status);
    };
    LONGS_EQUAL(FL_BAND_DEFAULT, memory_band(0, -1));
    LONGS_EQUAL(0, exited(in_child([&] {
        LEAVE_UNLESS(memory_band(0, FL_BAND_CRITICAL) == FL_BAND_DEFAULT);
        LEAVE_UNLESS(band_of_a_child() == FL_BAND_DEFAULT && band_of_a_vforked_child() == FL_BAND_DEFAULT);
        LEAVE_UNLESS(memory_band(0, FL_BAND_BACKGROUND) == FL_BAND_CRITICAL);
        LEAVE_UNLESS(band_of_a_child() == FL_BAND_BACKGROUND && band_of_a_vforked_child() == FL_BAND_BACKGROUND);
        return 0;
    })));
    LONGS_EQUAL(FL_BAND_DEFAULT, memory_band(0, -1));
}

TEST(MemoryPressure, a_band_is_lowered_by_its_owner_and_raised_by_root) {
    const pid_t of_root = holder(FL_BAND_DEFAULT, 1);
    const int status = in_child([&] {
        LEAVE_UNLESS(memory_band(of_root, FL_BAND_IDLE) == FL_BAND_DEFAULT);
        LEAVE_UNLESS(memory_band(of_root, FL_BAND_CRITICAL) == FL_BAND_IDLE);
        setuid(1000);
        LEAVE_UNLESS(memory_band(of_root, FL_BAND_IDLE) == -1 && errno == EPERM);
        LEAVE_UNLESS(memory_band(of_root, -1) == FL_BAND_CRITICAL);
        LEAVE_UNLESS(memory_band(0, FL_BAND_BACKGROUND) == FL_BAND_DEFAULT);
        LEAVE_UNLESS(memory_band(0, FL_BAND_DEFAULT) == -1 && errno == EPERM);
        LEAVE_UNLESS(memory_band(0, -1) == FL_BAND_BACKGROUND);
        return 0;
    });
    end(of_root);
    LONGS_EQUAL(0, exited(status));
}

TEST(MemoryPressure, a_band_that_there_is_not_is_EINVAL_and_a_process_that_there_is_not_ESRCH) {
    FAILS_WITH(EINVAL, memory_band(0, FL_BAND_CRITICAL + 1));
    FAILS_WITH(EINVAL, memory_band(0, -2));
    FAILS_WITH(ESRCH, memory_band(99999, FL_BAND_IDLE));
    FAILS_WITH(ESRCH, memory_band(-1, -1));
}
