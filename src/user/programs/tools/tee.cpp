// tee: the input to the output and to files.
#include "user/programs/tools/tool.h"

#include <fcntl.h>

static constexpr char help[] =
    "usage: tee [-a] [FILE...]\n"
    "Copies the standard input to the standard output and to the files.\n"
    "  -a  to the files' ends\n";

int tee_main(int argc, char** argv) {
    int flags = O_TRUNC;
    for (int option; (option = next_option(argc, argv, "a", help)) != -1;) {
        flags = O_APPEND;
    }
    int files[64], count = 0, status = 0;
    files[count++] = STDOUT_FILENO;
    for (int i = optind; i < argc && count < 64; ++i) {
        const int fd = open(argv[i], O_WRONLY | O_CREAT | flags, 0666);
        if (fd < 0) {
            status = complain_about(argv[i]);
        } else {
            files[count++] = fd;
        }
    }
    static char buffer[8192];
    int length;
    while ((length = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        for (int i = 0; i < count; ++i) {
            status |= !write_all(files[i], buffer, static_cast<size_t>(length));
        }
    }
    return length < 0 ? complain_about("standard input") : status;
}
