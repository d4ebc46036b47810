// reboot: starts the machine again.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

int reboot_main(int argc, char** argv) {
    no_options(argc, argv, "usage: reboot\nStarts the machine again.\n");
    reboot(FL_REBOOT_RESTART, 0);
    return complain_about("restart");
}
