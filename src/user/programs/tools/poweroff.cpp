// poweroff: turns the machine off.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

int poweroff_main(int argc, char** argv) {
    no_options(argc, argv, "usage: poweroff [STATUS]\nTurns the machine off; the run ends with the status (0).\n");
    const int status = optind < argc ? static_cast<int>(number_argument(argv[optind])) : 0;
    reboot(FL_REBOOT_POWEROFF, status);
    return complain_about("power off");
}
