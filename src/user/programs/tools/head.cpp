// head: the first lines.
#include "user/programs/tools/tool.h"

static constexpr char help[] =
    "usage: head [-n LINES | -LINES] [FILE...]\n"
    "Writes the first 10 lines of each file or of the standard input.\n"
    "  -n LINES  so many lines instead\n";

static int show_first(int fd, const char* name, long lines) {
    LineReader reader(fd);
    for (; lines > 0; --lines) {
        const char* line = reader.next();
        if (line == nullptr) {
            return reader.failed() ? complain_about(name) : 0;
        }
        puts(line);
    }
    return 0;
}

int head_main(int argc, char** argv) {
    long lines = 10;
    if (argc > 1 && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9') {
        lines = number_argument(argv[1] + 1);
        ++argv;
        --argc;
    }
    for (int option; (option = next_option(argc, argv, "n:", help)) != -1;) {
        lines = number_argument(optarg);
    }
    const bool titles = argc - optind > 1;
    bool first = true;
    return for_each_input(argc, argv, optind, [&](int fd, const char* name) {
        if (titles) {
            printf("%s==> %s <==\n", first ? "" : "\n", name);
            first = false;
        }
        return show_first(fd, name, lines);
    });
}
