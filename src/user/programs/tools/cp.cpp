// cp: copies files and trees.
#include "user/programs/tools/tool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static constexpr char help[] =
    "usage: cp [-r] FROM TO\n"
    "       cp [-r] FROM... DIRECTORY\n"
    "  -r  directories with all that is in them\n";

namespace {

bool recursive = false;

int copy_file(const char* from, const char* to, mode_t mode) {
    const int source = open(from, O_RDONLY);
    if (source < 0) {
        return complain_about(from);
    }
    struct stat source_info, target_info;
    if (fstat(source, &source_info) == 0 && stat(to, &target_info) == 0 && source_info.st_ino == target_info.st_ino &&
        source_info.st_dev == target_info.st_dev) {
        close(source);
        return complain(to, "is the same file");
    }
    const int target = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
    if (target < 0) {
        close(source);
        return complain_about(to);
    }
    static char buffer[16384];
    int length, status = 0;
    while ((length = read(source, buffer, sizeof buffer)) > 0) {
        if (!write_all(target, buffer, static_cast<size_t>(length))) {
            status = 1;
            break;
        }
    }
    if (length < 0) {
        status = complain_about(from);
    }
    close(source);
    if (close(target) < 0) {
        status = complain_about(to);
    }
    return status;
}

int copy(const char* from, const char* to);

int copy_directory(const char* from, const char* to, mode_t mode) {
    if (!recursive) {
        return complain(from, "is a directory (use -r)");
    }
    DIR* directory = opendir(from);
    if (directory == nullptr) {
        return complain_about(from);
    }
    int status = 0;
    if (mkdir(to, (mode & 0777) | 0700) < 0 && errno != EEXIST) {
        status = complain_about(to);
    }
    while (const struct dirent* entry = status == 0 ? readdir(directory) : nullptr) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char source[1024], target[1024];
            snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
            snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
            status = copy(source, target);
        }
    }
    closedir(directory);
    return status;
}

int copy(const char* from, const char* to) {
    struct stat info;
    if (stat(from, &info) < 0) {
        return complain_about(from);
    }
    return S_ISDIR(info.st_mode) ? copy_directory(from, to, info.st_mode) : copy_file(from, to, info.st_mode);
}

}  // namespace

int cp_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "rR", help)) != -1;) {
        recursive = true;
    }
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
        status |= copy(argv[i], into ? full : target);
    }
    return status;
}
