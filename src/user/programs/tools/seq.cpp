// seq: numbers in a row.
#include "user/programs/tools/tool.h"

static constexpr char help[] =
    "usage: seq [FIRST [STEP]] LAST\n"
    "Writes the numbers from FIRST (1) to LAST, STEP (1) apart, one a line.\n";

int seq_main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc < 2 || argc > 4) {
        usage_error("one to three numbers are wanted");
    }
    const long first = argc > 2 ? number_argument(argv[1]) : 1;
    const long step = argc > 3 ? number_argument(argv[2]) : 1;
    const long last = number_argument(argv[argc - 1]);
    if (step == 0) {
        usage_error("the step is 0");
    }
    for (long value = first; step > 0 ? value <= last : value >= last; value += step) {
        printf("%ld\n", value);
    }
    return 0;
}
