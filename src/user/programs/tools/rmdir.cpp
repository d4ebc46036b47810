// rmdir: removes empty directories.
#include "user/programs/tools/tool.h"

int rmdir_main(int argc, char** argv) {
    no_options(argc, argv, "usage: rmdir DIRECTORY...\nRemoves empty directories.\n");
    if (optind >= argc) {
        usage_error("a directory is missing");
    }
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        if (rmdir(argv[i]) < 0) {
            status = complain_about(argv[i]);
        }
    }
    return status;
}
