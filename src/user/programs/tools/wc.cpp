// wc: counts lines, words and bytes.
#include "user/programs/tools/tool.h"

#include <ctype.h>

static constexpr char help[] =
    "usage: wc [-lwc] [FILE...]\n"
    "Counts lines, words and bytes of the files or the standard input.\n"
    "  -l  lines\n"
    "  -w  words\n"
    "  -c  bytes\n";

namespace {
struct Counts {
    unsigned long lines = 0, words = 0, bytes = 0;
};
bool show_lines = false, show_words = false, show_bytes = false;

bool count(int fd, Counts& counts) {
    static char buffer[16384];
    bool in_word = false;
    int length;
    while ((length = read(fd, buffer, sizeof buffer)) > 0) {
        counts.bytes += static_cast<unsigned long>(length);
        for (int i = 0; i < length; ++i) {
            const bool space = isspace(static_cast<unsigned char>(buffer[i]));
            counts.lines += buffer[i] == '\n';
            counts.words += !space && !in_word;
            in_word = !space;
        }
    }
    return length == 0;
}

// One figure alone stands at the left; several are in columns.
void show(const Counts& counts, const char* name) {
    const bool columns = show_lines + show_words + show_bytes > 1;
    const char* format = columns ? "%8lu" : "%lu";
    if (show_lines) {
        printf(format, counts.lines);
    }
    if (show_words) {
        printf(format, counts.words);
    }
    if (show_bytes) {
        printf(format, counts.bytes);
    }
    printf(name != nullptr ? " %s\n" : "\n", name);
}
}  // namespace

int wc_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "lwc", help)) != -1;) {
        show_lines |= option == 'l';
        show_words |= option == 'w';
        show_bytes |= option == 'c';
    }
    if (!show_lines && !show_words && !show_bytes) {
        show_lines = show_words = show_bytes = true;
    }
    Counts total;
    const int status = for_each_input(argc, argv, optind, [&](int fd, const char* name) {
        Counts counts;
        if (!count(fd, counts)) {
            return complain_about(name);
        }
        show(counts, argc > optind ? name : nullptr);
        total.lines += counts.lines;
        total.words += counts.words;
        total.bytes += counts.bytes;
        return 0;
    });
    if (argc - optind > 1) {
        show(total, "total");
    }
    return status;
}
