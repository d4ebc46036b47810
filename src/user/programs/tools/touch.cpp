// touch: makes files, or sets their times to now.
#include "user/programs/tools/tool.h"

#include <fcntl.h>
#include <utime.h>

int touch_main(int argc, char** argv) {
    no_options(argc, argv, "usage: touch FILE...\nMakes the files that are not there, and sets the others' times to now.\n");
    if (optind >= argc) {
        usage_error("a file is missing");
    }
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        if (utime(argv[i], nullptr) == 0) {
            continue;
        }
        const int fd = errno == ENOENT ? open(argv[i], O_WRONLY | O_CREAT, 0666) : -1;
        if (fd < 0) {
            status = complain_about(argv[i]);
        } else {
            close(fd);
        }
    }
    return status;
}
