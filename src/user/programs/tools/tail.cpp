// tail: the last lines.
#include "user/programs/tools/tool.h"

static constexpr char help[] =
    "usage: tail [-n LINES] [FILE...]\n"
    "Writes the last 10 lines of each file or of the standard input.\n"
    "  -n LINES  so many lines instead\n";

// Keeps the last lines in a ring.
static int show_last(int fd, const char* name, size_t wanted) {
    char** ring = static_cast<char**>(calloc(wanted + 1, sizeof *ring));
    if (ring == nullptr) {
        return complain_about(name);
    }
    LineReader reader(fd);
    size_t seen = 0;
    while (const char* line = reader.next()) {
        char*& place = ring[seen++ % (wanted + 1)];
        free(place);
        place = strdup(line);
        if (place == nullptr) {
            return complain_about(name);
        }
    }
    for (size_t i = seen > wanted ? seen - wanted : 0; i < seen; ++i) {
        puts(ring[i % (wanted + 1)]);
    }
    for (size_t i = 0; i <= wanted; ++i) {
        free(ring[i]);
    }
    free(ring);
    return reader.failed() ? complain_about(name) : 0;
}

int tail_main(int argc, char** argv) {
    long lines = 10;
    for (int option; (option = next_option(argc, argv, "n:", help)) != -1;) {
        lines = number_argument(optarg);
    }
    if (lines < 0 || lines > 1000000) {
        usage_error("that number of lines is out of range");
    }
    return for_each_input(argc, argv, optind, [&](int fd, const char* name) {
        return show_last(fd, name, static_cast<size_t>(lines));
    });
}
