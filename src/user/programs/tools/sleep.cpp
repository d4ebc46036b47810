// sleep: waits.
#include "user/programs/tools/tool.h"

#include <time.h>

static constexpr char help[] =
    "usage: sleep TIME...\n"
    "Waits for the sum of the times: seconds, with a fraction if wanted, or with m, h or d behind.\n";

// Without floating point: the figure's digits in nanoseconds times the unit.
static bool parse_time(const char* text, unsigned long long& nanoseconds) {
    unsigned long long value = 0, scale = 1000000000;
    bool digits = false, fraction = false;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !fraction); ++text) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        digits = true;
        if (fraction) {
            scale /= 10;
            value += static_cast<unsigned>(*text - '0') * scale;
        } else {
            value = value * 10 + static_cast<unsigned>(*text - '0') * 1000000000ull;
            if (value > 1000000000000000000ull / 10) {
                return false;
            }
        }
    }
    unsigned long long unit = 1;
    switch (*text) {
    case 's': ++text; break;
    case 'm': unit = 60; ++text; break;
    case 'h': unit = 3600; ++text; break;
    case 'd': unit = 86400; ++text; break;
    }
    nanoseconds += value * unit;
    return digits && *text == '\0';
}

int sleep_main(int argc, char** argv) {
    no_options(argc, argv, help);
    if (optind >= argc) {
        usage_error("a time is missing");
    }
    unsigned long long nanoseconds = 0;
    for (int i = optind; i < argc; ++i) {
        if (!parse_time(argv[i], nanoseconds)) {
            return complain(argv[i], "not a time") + 1;
        }
    }
    struct timespec time = {static_cast<time_t>(nanoseconds / 1000000000), static_cast<long>(nanoseconds % 1000000000)};
    while (nanosleep(&time, &time) < 0) {
        if (errno != EINTR) {
            return complain_about("sleep");
        }
    }
    return 0;
}
