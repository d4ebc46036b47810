// uptime: how long, how many, how busy.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: uptime [-v]\n"
    "Writes how long the machine runs, its processes and its load over 1, 5 and 15 minutes.\n"
    "  -v  forks, context switches, interrupts and idle time too\n";

static void show_load(uint64_t load) {
    printf("%lu.%02lu", static_cast<unsigned long>(load >> 16), static_cast<unsigned long>((load & 0xffff) * 100 >> 16));
}

int uptime_main(int argc, char** argv) {
    bool verbose = false;
    for (int option; (option = next_option(argc, argv, "v", help)) != -1;) {
        verbose = true;
    }
    ForkloreSysinfo info;
    if (sysinfo(&info) < 0) {
        return complain_about("sysinfo");
    }
    const unsigned long seconds = info.uptime_ns / 1000000000;
    printf("up ");
    if (seconds >= 86400) {
        printf("%lu days, ", seconds / 86400);
    }
    printf("%lu:%02lu:%02lu, %lu processes, %lu threads on %lu cores, load ", seconds / 3600 % 24, seconds / 60 % 60,
           seconds % 60, static_cast<unsigned long>(info.processes), static_cast<unsigned long>(info.threads),
           static_cast<unsigned long>(info.cores));
    for (int i = 0; i < 3; ++i) {
        show_load(info.load[i]);
        printf(i < 2 ? ", " : "\n");
    }
    if (verbose) {
        const unsigned long long whole = info.uptime_ns * info.cores;
        printf("%lu forks, %lu context switches, %lu interrupts, %llu %% idle\n",
               static_cast<unsigned long>(info.forks), static_cast<unsigned long>(info.context_switches),
               static_cast<unsigned long>(info.interrupts), whole > 0 ? info.idle_ns * 100ull / whole : 0ull);
    }
    return 0;
}
