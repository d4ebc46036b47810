// echo: writes its arguments.
#include "user/programs/tools/tool.h"

int echo_main(int argc, char** argv) {
    int first = 1;
    bool newline = true;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs("usage: echo [-n] [WORD...]\nWrites the words, separated by spaces.\n  -n  no newline at the end\n", stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "-n") == 0) {
        newline = false;
        first = 2;
    }
    for (int i = first; i < argc; ++i) {
        fputs(argv[i], stdout);
        if (i + 1 < argc) {
            putchar(' ');
        }
    }
    if (newline) {
        putchar('\n');
    }
    return 0;
}
