// mv: renames files.
#include "user/programs/tools/tool.h"

#include <sys/stat.h>

int mv_main(int argc, char** argv) {
    no_options(argc, argv, "usage: mv FROM TO\n       mv FROM... DIRECTORY\n");
    if (argc - optind < 2) {
        usage_error("a source or a target is missing");
    }
    const char* target = argv[argc - 1];
    struct stat info;
    const bool into = stat(target, &info) == 0 && S_ISDIR(info.st_mode);
    if (argc - optind > 2 && !into) {
        return complain(target, strerror(ENOTDIR));
    }
    int status = 0;
    for (int i = optind; i < argc - 1; ++i) {
        char full[1024];
        const char* slash = strrchr(argv[i], '/');
        snprintf(full, sizeof full, "%s/%s", target, slash != nullptr ? slash + 1 : argv[i]);
        if (rename(argv[i], into ? full : target) < 0) {
            status = complain_about(argv[i]);
        }
    }
    return status;
}
