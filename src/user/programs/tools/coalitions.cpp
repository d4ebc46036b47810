// coalitions: what groups of processes use.
#include "user/programs/tools/tool.h"

#include <spawn.h>
#include <sys/wait.h>

#include "forklore/forklore.h"

extern char** environ;

static constexpr char help[] =
    "usage: coalitions [COMMAND [ARGUMENT...]]\n"
    "Lists the coalitions: processes that belong to each now, those that ended, processor time of all of\n"
    "them in seconds, pages in memory now, the largest that one process had, and page faults. With a command:\n"
    "runs it in a coalition of its own, and writes what it and all that it started used.\n";

static double seconds(const ForkloreTime& time) { return static_cast<double>(time.seconds) + static_cast<double>(time.nanoseconds) / 1e9; }

// The line of one coalition, or of each (0).
static int show(uint64_t wanted) {
    const int room = coalition_list(nullptr, 0) + 8;    // a few may come meanwhile
    ForkloreCoalitionInfo list[room];
    const int count = coalition_list(list, room);
    if (count < 0) {
        return complain_about("coalition list");
    }
    printf("%9s %7s %7s %8s %8s %8s %8s %8s\n", "COALITION", "MEMBERS", "ENDED", "USER", "SYSTEM", "PAGES", "PEAK", "FAULTS");
    for (int i = 0; i < count && i < room; ++i) {
        const ForkloreCoalitionInfo& one = list[i];
        if (wanted == 0 || wanted == one.number) {
            printf("%9lu %7lu %7lu %8.3f %8.3f %8lu %8ld %8ld\n", one.number, one.members, one.ended, seconds(one.usage.user),
                   seconds(one.usage.system), one.resident_pages, one.usage.peak_pages, one.usage.minor_faults);
        }
    }
    return 0;
}

static uint64_t coalition_of(pid_t pid) {
    const int room = proc_list(nullptr, 0) + 8;
    ForkloreProcInfo list[room];
    const int count = proc_list(list, room);
    for (int i = 0; i < count && i < room; ++i) {
        if (list[i].pid == pid) {
            return list[i].coalition;
        }
    }
    return 0;
}

int coalitions_main(int argc, char** argv) {
    next_option(argc, argv, "+", help);
    if (optind >= argc) {
        return show(0);
    }
    posix_spawnattr_t attributes;
    pid_t pid;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_NEWCOALITION_NP);
    errno = posix_spawnp(&pid, argv[optind], nullptr, &attributes, argv + optind, environ);
    posix_spawnattr_destroy(&attributes);
    if (errno != 0) {
        complain_about(argv[optind]);
        return errno == ENOENT ? 127 : 126;
    }
    // As a zombie it still belongs to its coalition, which would be gone with the last of its members.
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    const int failed = show(coalition_of(pid));
    int status = 0;
    waitpid(pid, &status, 0);
    return failed != 0 ? failed : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
