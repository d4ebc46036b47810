// Comparing what the machine holds.
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace storm {

namespace {

constexpr int first_recycled_pid = 100;
constexpr int most_probes = 4096;
constexpr uid_t some_user = 1234;
constexpr unsigned user_limit = 5;
constexpr long page_tolerance = 4;      // tables of the kernel's own map stay where more stacks were than ever before

int count_descriptors() {
    int open = 0;
    for (int fd = 0; fd < FORKLORE_OPEN_MAX; ++fd) {
        open += fcntl(fd, F_GETFD) != -1;
    }
    return open;
}

void sleep_milliseconds(long milliseconds) {
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
    nanosleep(&time, nullptr);
}

bool settled(const Ledger& now, const Ledger& before) {
    return now.system.processes <= before.system.processes && now.system.threads <= before.system.threads;
}

// Numbers of recycled pids that living processes, their groups or their sessions hold.
int recycled_pids_held(int pid_max) {
    static ForkloreProcInfo list[most_probes];
    static char held[100'000];
    memset(held, 0, sizeof held);
    int count = proc_list(list, most_probes), sum = 0;
    for (int i = 0; i < count && i < most_probes; ++i) {
        held[list[i].pid] = held[list[i].group] = held[list[i].session] = 1;
    }
    for (int pid = first_recycled_pid; pid < pid_max; ++pid) {
        sum += held[pid];
    }
    return sum;
}

// Children that stay until the pipe closes; how many there could be.
int fork_until_refused(int& error) {
    int gate[2];
    if (pipe(gate) != 0) {
        return -1;
    }
    int count = 0;
    error = 0;
    while (count < most_probes) {
        const pid_t pid = fork();
        if (pid == 0) {
            char byte;
            close(gate[1]);
            (void)!read(gate[0], &byte, 1);
            _exit(0);
        }
        if (pid < 0) {
            error = errno;
            break;
        }
        ++count;
    }
    close(gate[1]);
    close(gate[0]);
    for (int i = 0; i < count; ++i) {
        waitpid(-1, nullptr, 0);
    }
    return count;
}

}  // namespace

void Ledger::take() {
    memset(this, 0, sizeof *this);
    sysinfo(&system);
    zone_count = zone_list(zones, most_zones);
    if (zone_count > most_zones) {
        zone_count = most_zones;
    }
    descriptors = count_descriptors();
}

long Ledger::live(const char* zone) const {
    for (int i = 0; i < zone_count; ++i) {
        if (strcmp(zones[i].name, zone) == 0) {
            return static_cast<long>(zones[i].live);
        }
    }
    return -1;
}

uint64_t Ledger::zone_pages() const {
    uint64_t sum = 0;
    for (int i = 0; i < zone_count; ++i) {
        sum += zones[i].pages;
    }
    return sum;
}

void squeeze_memory() {
    const pid_t pid = fork();
    if (pid == 0) {
        constexpr size_t piece = 4 << 20;
        for (;;) {
            void* memory = mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED) {
                _exit(0);
            }
            for (size_t at = 0; at < piece; at += 4096) {
                static_cast<volatile char*>(memory)[at] = 1;    // ends by SIGKILL here
            }
        }
    }
    if (pid > 0) {
        waitpid(pid, nullptr, 0);
    }
    // It can be waited for before its thread's memory is back, on another core.
    ForkloreSysinfo now, last;
    sysinfo(&now);
    for (int calm = 0; calm < 5;) {
        last = now;
        sleep_milliseconds(10);
        sysinfo(&now);
        calm = now.threads == last.threads ? calm + 1 : 0;
    }
}

int differences_after(const Ledger& before) {
    static Ledger after;
    after.take();
    for (int idle = 0; !settled(after, before) && idle < 50;) {
        const uint64_t processes = after.system.processes;
        sleep_milliseconds(20);
        after.take();
        idle = after.system.processes < processes ? 0 : idle + 1;
    }
    squeeze_memory();
    after.take();
    int differences = 0;
    const auto compare = [&](const char* what, long then, long now) {
        if (then != now) {
            printf("storm: %s: %ld before, %ld after\n", what, then, now);
            ++differences;
        }
    };
    compare("processes", static_cast<long>(before.system.processes), static_cast<long>(after.system.processes));
    compare("threads", static_cast<long>(before.system.threads), static_cast<long>(after.system.threads));
    compare("descriptors", before.descriptors, after.descriptors);
    for (int i = 0; i < before.zone_count; ++i) {
        compare(before.zones[i].name, static_cast<long>(before.zones[i].live), after.live(before.zones[i].name));
    }
    const long pages_then = static_cast<long>(before.system.pages_free + before.zone_pages());
    const long pages_now = static_cast<long>(after.system.pages_free + after.zone_pages());
    if (pages_then - pages_now > page_tolerance) {
        compare("pages, free or in zones", pages_then, pages_now);
    }
    return differences;
}

int probe_capacity() {
    ForkloreSysinfo info;
    sysinfo(&info);
    int mistakes = 0, error = 0;
    const int pids = static_cast<int>(info.pid_max) - first_recycled_pid - recycled_pids_held(static_cast<int>(info.pid_max));
    const int slots = static_cast<int>(info.processes_max - info.processes);
    const int room = pids < slots ? pids : slots;
    const int found = fork_until_refused(error);
    if (room < most_probes && error != ENOMEM && found != room) {
        printf("storm: room for %d processes (%d pids, %d slots), but %d could be made\n", room, pids, slots, found);
        ++mistakes;
    }
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit limit = {user_limit, user_limit};
        setrlimit(RLIMIT_NPROC, &limit);
        setuid(some_user);
        _exit(fork_until_refused(error));
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (pid > 0 && room > static_cast<int>(user_limit) + 1 && WEXITSTATUS(status) != static_cast<int>(user_limit) - 1) {
        printf("storm: a user with a limit of %u processes could make %d more\n", user_limit, WEXITSTATUS(status));
        ++mistakes;
    }
    return mistakes;
}

}  // namespace storm
