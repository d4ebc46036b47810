// clear: an empty screen.
#include "user/programs/tools/tool.h"

int clear_main(int argc, char** argv) {
    no_options(argc, argv, "usage: clear\nEmpties the screen.\n");
    fputs("\033[H\033[2J", stdout);
    return 0;
}
