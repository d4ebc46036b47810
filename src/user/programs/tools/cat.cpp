// cat: joins files.
#include "user/programs/tools/tool.h"

static constexpr char help[] =
    "usage: cat [-n] [FILE...]\n"
    "Writes the files, or the standard input, one after the other.\n"
    "  -n  number the lines\n";

static int copy_numbered(int fd, const char* name, unsigned long& number) {
    LineReader reader(fd);
    while (const char* line = reader.next()) {
        printf("%6lu\t%s\n", ++number, line);
    }
    return reader.failed() ? complain_about(name) : 0;
}

static int copy_plain(int fd, const char* name) {
    static char buffer[16384];
    int length;
    while ((length = read(fd, buffer, sizeof buffer)) > 0) {
        if (!write_all(STDOUT_FILENO, buffer, static_cast<size_t>(length))) {
            exit(1);
        }
    }
    return length < 0 ? complain_about(name) : 0;
}

int cat_main(int argc, char** argv) {
    bool numbered = false;
    for (int option; (option = next_option(argc, argv, "n", help)) != -1;) {
        numbered = true;
    }
    unsigned long number = 0;
    return for_each_input(argc, argv, optind, [&](int fd, const char* name) {
        return numbered ? copy_numbered(fd, name, number) : copy_plain(fd, name);
    });
}
