// yes: the same line for ever.
#include "user/programs/tools/tool.h"

int yes_main(int argc, char** argv) {
    no_options(argc, argv, "usage: yes [WORD...]\nWrites the words, or y, again and again.\n");
    for (;;) {
        for (int i = optind; i < argc; ++i) {
            printf("%s%c", argv[i], i + 1 < argc ? ' ' : '\n');
        }
        if (optind >= argc) {
            puts("y");
        }
        if (ferror(stdout)) {
            return complain_about("standard output");
        }
    }
}
