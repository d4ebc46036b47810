// zprint: the kernel's zones.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: zprint [NAME...]\n"
    "Lists the kernel's zones, or those whose names contain one of the words: size of an element,\n"
    "elements in use now and at most, free ones, limit, memory held, allocations and the share\n"
    "that a core's own cache served.\n";

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
    printf("%-18.18s %6lu %7lu %7lu %7lu %7s %7s %9lu %3lu%%\n", zone.name,
           static_cast<unsigned long>(zone.element_size), static_cast<unsigned long>(zone.live),
           static_cast<unsigned long>(zone.peak), static_cast<unsigned long>(zone.free), limit,
           human_size(zone.pages * 4096), static_cast<unsigned long>(zone.allocations),
           static_cast<unsigned long>(zone.allocations != 0 ? zone.cache_hits * 100 / zone.allocations : 0));
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
    printf("%-18s %6s %7s %7s %7s %7s %7s %9s %4s\n", "ZONE", "SIZE", "LIVE", "PEAK", "FREE", "LIMIT", "MEM", "ALLOCS",
           "HIT");
    unsigned long pages = 0;
    for (int i = 0; i < count; ++i) {
        if (wanted(zones[i].name, argc, argv)) {
            show(zones[i]);
            pages += zones[i].pages;
        }
    }
    printf("%-18s %46s\n", "total", human_size(pages * 4096ull));
    return 0;
}
