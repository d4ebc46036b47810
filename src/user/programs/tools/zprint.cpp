// zprint: the kernel's zones.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: zprint [NAME...]\n"
    "Lists the kernel's zones, or those whose names contain one of the words: size of an element,\n"
    "elements in use now and at most, free ones, limit, memory held, allocations, the share that\n"
    "a core's own cache served, and how often the lock was taken that all cores share.\n";

static bool wanted(const char* name, int argc, char** argv) {
    for (int i = optind; i < argc; ++i) {
        if (strstr(name, argv[i]) != nullptr) {
            return true;
        }
    }
    return optind >= argc;
}

static void show(const ForkloreZoneInfo& zone) {
    char limit[24] = "-";
    if (zone.limit != 0) {
        snprintf(limit, sizeof limit, "%lu", static_cast<unsigned long>(zone.limit));
    }
    printf("%-16.16s %5lu %6lu %6lu %6lu %6s %6s %8lu %3lu%% %7lu\n", zone.name,
           static_cast<unsigned long>(zone.element_size), static_cast<unsigned long>(zone.live),
           static_cast<unsigned long>(zone.peak), static_cast<unsigned long>(zone.free), limit,
           human_size(zone.pages * 4096), static_cast<unsigned long>(zone.allocations),
           static_cast<unsigned long>(zone.allocations != 0 ? zone.cache_hits * 100 / zone.allocations : 0),
           static_cast<unsigned long>(zone.lock_acquisitions));
}

int zprint_main(int argc, char** argv) {
    no_options(argc, argv, help);
    static ForkloreZoneInfo zones[128];
    const int room = sizeof zones / sizeof zones[0];
    int count = zone_list(zones, room);
    if (count < 0) {
        return complain_about("zone list");
    }
    count = count < room ? count : room;
    printf("%-16s %5s %6s %6s %6s %6s %6s %8s %4s %7s\n", "ZONE", "SIZE", "LIVE", "PEAK", "FREE", "LIMIT", "MEM", "ALLOCS",
           "HIT", "LOCKED");
    unsigned long pages = 0;
    for (int i = 0; i < count; ++i) {
        if (wanted(zones[i].name, argc, argv)) {
            show(zones[i]);
            pages += zones[i].pages;
        }
    }
    printf("%-16s %39s\n", "total", human_size(pages * 4096ull));
    return 0;
}
