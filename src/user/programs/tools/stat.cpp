// stat: what the system knows about files.
#include "user/programs/tools/tool.h"

#include <sys/stat.h>
#include <time.h>

static const char* kind(mode_t mode) {
    return S_ISDIR(mode)    ? "directory"
           : S_ISCHR(mode)  ? "character device"
           : S_ISFIFO(mode) ? "pipe"
           : S_ISLNK(mode)  ? "symbolic link"
                            : "file";
}

static void show_time(const char* what, time_t when) {
    char text[32];
    struct tm parts;
    gmtime_r(&when, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    printf("%9s %s\n", what, text);
}

int stat_main(int argc, char** argv) {
    no_options(argc, argv, "usage: stat FILE...\nWrites what is known about the files.\n");
    if (optind >= argc) {
        usage_error("a file is missing");
    }
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        struct stat info;
        if (lstat(argv[i], &info) < 0) {
            status = complain_about(argv[i]);
            continue;
        }
        char mode[11];
        mode_string(info.st_mode, mode);
        printf("%9s %s\n%9s %ld bytes, %ld blocks, %s\n", "name", argv[i], "size", static_cast<long>(info.st_size),
               static_cast<long>(info.st_blocks), kind(info.st_mode));
        printf("%9s %s (%04o), owner %u, group %u\n", "mode", mode, static_cast<unsigned>(info.st_mode & 07777),
               info.st_uid, info.st_gid);
        printf("%9s %u on device %d, %u links\n", "inode", info.st_ino, info.st_dev, info.st_nlink);
        show_time("accessed", info.st_atime);
        show_time("modified", info.st_mtime);
        show_time("changed", info.st_ctime);
    }
    return status;
}
