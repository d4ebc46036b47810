// free: memory in use.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: free [-h | -b | -m]\n"
    "Writes the machine's memory in KiB.\n"
    "  -h  as 1.5K, 2.0M\n"
    "  -b  in bytes\n"
    "  -m  in MiB\n";

int free_main(int argc, char** argv) {
    char unit = 'k';
    for (int option; (option = next_option(argc, argv, "hbmk", help)) != -1;) {
        unit = static_cast<char>(option);
    }
    ForkloreSysinfo info;
    if (sysinfo(&info) < 0) {
        return complain_about("sysinfo");
    }
    const uint64_t used = info.pages_total - info.pages_free;
    const struct {
        const char* name;
        uint64_t pages;
    } columns[] = {{"total", info.pages_total},
                   {"used", used},
                   {"free", info.pages_free},
                   {"kernel", info.pages_kernel},
                   {"peak", info.pages_peak}};
    printf("         ");
    for (const auto& column : columns) {
        printf("%12s", column.name);
    }
    printf("\nmemory   ");
    for (const auto& column : columns) {
        const unsigned long long bytes = column.pages * info.page_size;
        if (unit == 'h') {
            printf("%12s", human_size(bytes));
        } else {
            printf("%12llu", unit == 'b' ? bytes : unit == 'm' ? bytes >> 20 : bytes >> 10);
        }
    }
    printf("\n");
    return 0;
}
