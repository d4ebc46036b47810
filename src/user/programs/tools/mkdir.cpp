// mkdir: makes directories.
#include "user/programs/tools/tool.h"

#include <sys/stat.h>

static constexpr char help[] =
    "usage: mkdir [-p] [-m MODE] DIRECTORY...\n"
    "  -p       with the ones above, and no complaint if it is there\n"
    "  -m MODE  with this mode, in octal\n";

static bool make_above(char* path, mode_t mode) {
    for (char* slash = strchr(path + 1, '/'); slash != nullptr; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        const bool failed = mkdir(path, mode) < 0 && errno != EEXIST && errno != EROFS;
        *slash = '/';
        if (failed) {
            return false;
        }
    }
    struct stat info;
    return mkdir(path, mode) == 0 || (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode));
}

int mkdir_main(int argc, char** argv) {
    bool parents = false;
    mode_t mode = 0777;
    for (int option; (option = next_option(argc, argv, "pm:", help)) != -1;) {
        if (option == 'p') {
            parents = true;
        } else {
            mode = static_cast<mode_t>(strtoul(optarg, nullptr, 8));
        }
    }
    if (optind >= argc) {
        usage_error("a directory is missing");
    }
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        if (parents ? !make_above(argv[i], mode) : mkdir(argv[i], mode) < 0) {
            status = complain_about(argv[i]);
        }
    }
    return status;
}
