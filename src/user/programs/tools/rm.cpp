// rm: removes files and trees.
#include "user/programs/tools/tool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static constexpr char help[] =
    "usage: rm [-rf] FILE...\n"
    "  -r  directories too, with all that is in them\n"
    "  -f  no complaint about what is not there\n";

namespace {

bool recursive = false, force = false;
constexpr int by_parent = -1;

int remove_tree(const char* name, const char* shown, int back);

int remove_entries(const char* shown) {
    DIR* directory = opendir(".");
    if (directory == nullptr) {
        return complain_about(shown);
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
            char* inner = joined(shown, entry->d_name);
            const int result = remove_tree(entry->d_name, inner, by_parent);
            free(inner);
            status |= result;
            removed |= result == 0;
        }
    }
    closedir(directory);
    return status;
}

// From within the directory, so that a path may be longer than the kernel takes; then back to where we were.
int remove_contents(const char* name, const char* shown, int back) {
    if (chdir(name) < 0) {
        return complain_about(shown);
    }
    const int status = remove_entries(shown);
    if ((back == by_parent ? chdir("..") : fchdir(back)) < 0) {
        exit(complain_about(shown));        // nothing that follows would be what is meant
    }
    return status;
}

// `shown`: what a complaint calls it. `back`: the directory that `name` is relative to; by_parent: the one that it is in.
int remove_tree(const char* name, const char* shown, int back) {
    struct stat info;
    if (lstat(name, &info) < 0) {
        return force && errno == ENOENT ? 0 : complain_about(shown);
    }
    if (S_ISDIR(info.st_mode)) {
        if (!recursive) {
            return complain(shown, strerror(EISDIR));
        }
        const int status = remove_contents(name, shown, back);
        return status == 0 && rmdir(name) < 0 ? complain_about(shown) : status;
    }
    return unlink(name) < 0 ? complain_about(shown) : 0;
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
    const int start = recursive ? open(".", O_RDONLY) : by_parent;
    if (recursive && start < 0) {
        return complain_about(".");
    }
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        status |= remove_tree(argv[i], argv[i], start);
    }
    return status;
}
