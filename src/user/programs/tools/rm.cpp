// rm: removes files and trees.
#include "user/programs/tools/tool.h"

#include <dirent.h>
#include <sys/stat.h>

static constexpr char help[] =
    "usage: rm [-rf] FILE...\n"
    "  -r  directories too, with all that is in them\n"
    "  -f  no complaint about what is not there\n";

namespace {

bool recursive = false, force = false;

int remove_tree(const char* path);

int remove_contents(const char* path) {
    DIR* directory = opendir(path);
    if (directory == nullptr) {
        return complain_about(path);
    }
    int status = 0;
    // A removal may move the reader's place, so begin again after each pass that removed something.
    for (bool removed = true; removed && status == 0;) {
        removed = false;
        rewinddir(directory);
        while (const struct dirent* entry = readdir(directory)) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
                continue;
            }
            char full[1024];
            snprintf(full, sizeof full, "%s/%s", path, entry->d_name);
            const int result = remove_tree(full);
            status |= result;
            removed |= result == 0;
        }
    }
    closedir(directory);
    return status;
}

int remove_tree(const char* path) {
    struct stat info;
    if (lstat(path, &info) < 0) {
        return force && errno == ENOENT ? 0 : complain_about(path);
    }
    if (S_ISDIR(info.st_mode)) {
        if (!recursive) {
            return complain(path, strerror(EISDIR));
        }
        const int status = remove_contents(path);
        return status == 0 && rmdir(path) < 0 ? complain_about(path) : status;
    }
    return unlink(path) < 0 ? complain_about(path) : 0;
}

}  // namespace

int rm_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "rRf", help)) != -1;) {
        recursive |= option == 'r' || option == 'R';
        force |= option == 'f';
    }
    if (optind >= argc && !force) {
        usage_error("a file is missing");
    }
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        status |= remove_tree(argv[i]);
    }
    return status;
}
