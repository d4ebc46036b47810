// Directories and the current one.
#include "user/support/support.h"

#include <dirent.h>
#include <sys/stat.h>

TEST_GROUP(Directories) {};

TEST(Directories, a_new_directory_is_empty_listed_and_removed) {
    LONGS_EQUAL(0, mkdir("/tmp/dir", 0755));
    struct dirent** list;
    const int count = scandir("/tmp/dir", &list, nullptr, alphasort);
    for (int i = 0; i < count; ++i) {
        free(list[i]);
    }
    free(list);
    LONGS_EQUAL(0, rmdir("/tmp/dir"));
    LONGS_EQUAL(2, count);    // . and ..
}

TEST(Directories, many_entries_are_all_listed) {
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
    LONGS_EQUAL(0, rmdir("/tmp/many"));
    LONGS_EQUAL(102, count);
}

TEST(Directories, a_directory_that_is_not_empty_stays) {
    mkdir("/tmp/full", 0755);
    mkdir("/tmp/full/in", 0755);
    FAILS_WITH(ENOTEMPTY, rmdir("/tmp/full"));
    LONGS_EQUAL(0, rmdir("/tmp/full/in"));
    LONGS_EQUAL(0, rmdir("/tmp/full"));
}

TEST(Directories, mkdir_of_what_is_there_is_EEXIST) {
    FAILS_WITH(EEXIST, mkdir("/tmp", 0755));
}

TEST(Directories, a_file_is_no_directory_on_the_way) {
    FAILS_WITH(ENOTDIR, access("/bin/sh/x", F_OK));
}

TEST(Directories, chdir_changes_what_relative_paths_mean_in_one_process_only) {
    char before[64], inside[64];
    CHECK(getcwd(before, sizeof before) != nullptr);
    in_child([] { return chdir("/dev"); });
    CHECK(getcwd(inside, sizeof inside) != nullptr);
    LONGS_EQUAL(0, strcmp(before, inside));
    LONGS_EQUAL(0, exited(in_child([] {
        char path[64];
        return chdir("/bin") == 0 && access("sh", F_OK) == 0 && strcmp(getcwd(path, sizeof path), "/bin") == 0 ? 0 : 1;
    })));
}

TEST(Directories, dots_in_paths_are_followed) {
    LONGS_EQUAL(0, access("/bin/../bin/./sh", F_OK));
    LONGS_EQUAL(0, access("/../bin/sh", F_OK));
}

TEST(Directories, a_name_that_is_too_long_is_ENAMETOOLONG) {
    static char name[400] = "/tmp/";
    memset(name + 5, 'n', sizeof name - 6);
    FAILS_WITH(ENAMETOOLONG, open(name, O_WRONLY | O_CREAT, 0644));
}

TEST(Directories, a_directory_cannot_be_written_as_a_file) {
    FAILS_WITH(EISDIR, open("/tmp", O_WRONLY));
}

TEST(Directories, rm_removes_a_tree_whose_paths_are_longer_than_the_kernel_takes) {
    char name[101];
    memset(name, 'd', 100);
    name[100] = '\0';
    mkdir("/tmp/deep", 0755);
    LONGS_EQUAL(0, exited(in_child([&name] {
        LEAVE_UNLESS(chdir("/tmp/deep") == 0);
        for (int depth = 0; depth < 12; ++depth) {
            LEAVE_UNLESS(mkdir(name, 0755) == 0 && chdir(name) == 0);
            LEAVE_UNLESS(close(open("file", O_WRONLY | O_CREAT, 0644)) == 0);
        }
        return 0;
    })));
    mkdir("/tmp/flat", 0755);
    close(open("/tmp/flat/file", O_WRONLY | O_CREAT, 0644));
    LONGS_EQUAL(0, exited(system("cd /tmp/flat && rm -r ../deep file")));       // the second is found from where it began
    LONGS_EQUAL(0, rmdir("/tmp/flat"));
    FAILS_WITH(ENOENT, rmdir("/tmp/deep"));
}

TEST(Directories, ls_shows_set_id_and_sticky_bits) {
    mkdir("/tmp/modes", 0755);
    const auto shown = [](mode_t mode) {
        static char line[12];
        chmod("/tmp/modes", mode);
        FILE* stream = popen("ls -ld /tmp/modes", "r");
        fgets(line, 11, stream);
        pclose(stream);
        return line;
    };
    STRCMP_EQUAL("drwxr-xr-x", shown(0755));
    STRCMP_EQUAL("drwsr-sr-t", shown(07755));
    STRCMP_EQUAL("drwS--S--T", shown(07600));
    rmdir("/tmp/modes");
}
