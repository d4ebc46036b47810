// date: the time of day, as far as the machine knows it.
#include "user/programs/tools/tool.h"

#include <time.h>

static constexpr char help[] =
    "usage: date [+FORMAT]\n"
    "       date -s SECONDS\n"
    "Writes the date and time (UTC). The board has no clock of its own: it begins at 1970 until it is set.\n"
    "  +FORMAT     as strftime says: %Y %m %d %H %M %S %s ...\n"
    "  -s SECONDS  set it to so many seconds after 1970\n";

int date_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "us:", help)) != -1;) {
        if (option == 's') {
            const struct timespec time = {static_cast<time_t>(number_argument(optarg)), 0};
            if (clock_settime(CLOCK_REALTIME, &time) < 0) {
                return complain_about("set");
            }
        }
    }
    const char* format = "%a %b %e %H:%M:%S UTC %Y";
    if (optind < argc && argv[optind][0] == '+') {
        format = argv[optind] + 1;
    }
    const time_t now = time(nullptr);
    struct tm parts;
    gmtime_r(&now, &parts);
    char text[256];
    text[0] = '\0';
    strftime(text, sizeof text, format, &parts);
    puts(text);
    return 0;
}
