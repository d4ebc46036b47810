// Directories and the current one.
#include "support.h"

#include <dirent.h>
#include <sys/stat.h>

TEST("a new directory is empty, listed and removed") {
    EQUAL(0, mkdir("/tmp/dir", 0755));
    struct dirent** list;
    const int count = scandir("/tmp/dir", &list, nullptr, alphasort);
    for (int i = 0; i < count; ++i) {
        free(list[i]);
    }
    free(list);
    EQUAL(0, rmdir("/tmp/dir"));
    EQUAL(2, count);    // . and ..
}

TEST("many entries are all listed") {
    mkdir("/tmp/many", 0755);
    char name[32];
    for (int i = 0; i < 100; ++i) {
        snprintf(name, sizeof name, "/tmp/many/%d", i);
        close(open(name, O_WRONLY | O_CREAT, 0644));
    }
    int count = 0;
    DIR* directory = opendir("/tmp/many");
    CHECK(directory != nullptr);
    while (readdir(directory) != nullptr) {
        ++count;
    }
    closedir(directory);
    for (int i = 0; i < 100; ++i) {
        snprintf(name, sizeof name, "/tmp/many/%d", i);
        unlink(name);
    }
    EQUAL(0, rmdir("/tmp/many"));
    EQUAL(102, count);
}

TEST("a directory that is not empty stays") {
    mkdir("/tmp/full", 0755);
    mkdir("/tmp/full/in", 0755);
    FAILS_WITH(ENOTEMPTY, rmdir("/tmp/full"));
    EQUAL(0, rmdir("/tmp/full/in"));
    EQUAL(0, rmdir("/tmp/full"));
}

TEST("mkdir of what is there is EEXIST") {
    FAILS_WITH(EEXIST, mkdir("/tmp", 0755));
}

TEST("a file is no directory on the way") {
    FAILS_WITH(ENOTDIR, access("/bin/sh/x", F_OK));
}

TEST("chdir changes what relative paths mean, in one process only") {
    char before[64], inside[64];
    CHECK(getcwd(before, sizeof before) != nullptr);
    in_child([] { return chdir("/dev"); });
    CHECK(getcwd(inside, sizeof inside) != nullptr);
    EQUAL(0, strcmp(before, inside));
    EQUAL(0, exited(in_child([] {
        char path[64];
        return chdir("/bin") == 0 && access("sh", F_OK) == 0 && strcmp(getcwd(path, sizeof path), "/bin") == 0 ? 0 : 1;
    })));
}

TEST("dots in paths are followed") {
    EQUAL(0, access("/bin/../bin/./sh", F_OK));
    EQUAL(0, access("/../bin/sh", F_OK));
}

TEST("a name that is too long is ENAMETOOLONG") {
    static char name[400] = "/tmp/";
    memset(name + 5, 'n', sizeof name - 6);
    FAILS_WITH(ENAMETOOLONG, open(name, O_WRONLY | O_CREAT, 0644));
}

TEST("a directory cannot be written as a file") {
    FAILS_WITH(EISDIR, open("/tmp", O_WRONLY));
}
