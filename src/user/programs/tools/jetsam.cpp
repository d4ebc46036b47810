// jetsam: who ends first when there is no memory left.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: jetsam [-p PID] [BAND [COMMAND [ARGUMENT...]]]\n"
    "Writes the memory band of a process, sets it, or runs a command in it. When there is no memory\n"
    "left the process of the lowest band ends, of one band the largest; dmesg says which. Bands are\n"
    "numbers from 0 to 19 or idle (0), background (3), foreground (10), default (18), critical (19).\n"
    "Owners lower a band, root raises it. A child has its parent's band, but none above the default.\n"
    "  -p PID  of that process instead of the shell that called\n";

namespace {

struct Name {
    const char* text;
    int band;
};
constexpr Name names[] = {{"idle", FL_BAND_IDLE}, {"background", FL_BAND_BACKGROUND}, {"foreground", FL_BAND_FOREGROUND},
                          {"default", FL_BAND_DEFAULT}, {"critical", FL_BAND_CRITICAL}};

int band_argument(const char* text) {
    for (const Name& name : names) {
        if (strcmp(name.text, text) == 0) {
            return name.band;
        }
    }
    const long band = number_argument(text);
    if (band < FL_BAND_IDLE || band > FL_BAND_CRITICAL) {
        usage_error("there is no such band");
    }
    return static_cast<int>(band);
}

int run(int band, char** command) {
    if (memory_band(0, band) == -1) {
        return complain_about("band");
    }
    return become(command);
}

}  // namespace

int jetsam_main(int argc, char** argv) {
    const char* process = nullptr;
    for (int option; (option = next_option(argc, argv, "+p:", help)) != -1;) {
        process = optarg;
    }
    const pid_t pid = process != nullptr ? static_cast<pid_t>(number_argument(process)) : getppid();
    const int band = optind < argc ? band_argument(argv[optind]) : -1;
    if (optind + 1 < argc) {
        if (process != nullptr) {
            usage_error("a process or a command, not both");
        }
        return run(band, argv + optind + 1);
    }
    const int before = memory_band(pid, band);
    if (before == -1) {
        return complain_about(process != nullptr ? process : "band");
    }
    if (band == -1) {
        printf("%d\n", before);
    }
    return 0;
}
