// pwd: the current directory.
#include "user/programs/tools/tool.h"

int pwd_main(int argc, char** argv) {
    no_options(argc, argv, "usage: pwd\nWrites the current directory.\n");
    char path[1024];
    if (getcwd(path, sizeof path) == nullptr) {
        return complain_about("current directory");
    }
    puts(path);
    return 0;
}
