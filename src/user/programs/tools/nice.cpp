// nice: a command with another priority.
#include "user/programs/tools/tool.h"

#include <sys/resource.h>

static constexpr char help[] =
    "usage: nice [-n LEVEL] [COMMAND [ARGUMENT...]]\n"
    "Runs the command with its nice level raised by 10; without one, writes the own level.\n"
    "  -n LEVEL  raised by so much instead (-20 most favoured, 19 least)\n";

int nice_main(int argc, char** argv) {
    int level = 10;
    for (int option; (option = next_option(argc, argv, "+n:", help)) != -1;) {
        level = static_cast<int>(number_argument(optarg));
    }
    errno = 0;
    const int now = getpriority(PRIO_PROCESS, 0);
    if (now == -1 && errno != 0) {
        return complain_about("priority");
    }
    if (optind >= argc) {
        printf("%d\n", now);
        return 0;
    }
    if (setpriority(PRIO_PROCESS, 0, now + level) < 0) {
        complain_about("priority");
    }
    return become(argv + optind);
}
