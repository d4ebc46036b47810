// env: the environment, or a command in another one.
#include "user/programs/tools/tool.h"

static constexpr char help[] =
    "usage: env [-i] [-u NAME] [NAME=VALUE...] [COMMAND [ARGUMENT...]]\n"
    "Writes the environment, or runs the command with the changes.\n"
    "  -i       begin with an empty one\n"
    "  -u NAME  without NAME\n";

int env_main(int argc, char** argv) {
    static char* empty[] = {nullptr};
    for (int option; (option = next_option(argc, argv, "+iu:", help)) != -1;) {
        if (option == 'i') {
            environ = empty;
        } else {
            unsetenv(optarg);
        }
    }
    for (; optind < argc && strchr(argv[optind], '=') != nullptr; ++optind) {
        char* equals = strchr(argv[optind], '=');
        *equals = '\0';
        if (setenv(argv[optind], equals + 1, 1) < 0) {
            return complain_about(argv[optind]);
        }
    }
    if (optind < argc) {
        return become(argv + optind);
    }
    for (char** entry = environ; *entry != nullptr; ++entry) {
        puts(*entry);
    }
    return 0;
}
