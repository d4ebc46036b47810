// uname: what system this is.
#include "user/programs/tools/tool.h"

#include <sys/utsname.h>

static constexpr char help[] =
    "usage: uname [-asnrvm]\n"
    "Writes the system's name.\n"
    "  -a  all of these:\n"
    "  -s  system   -n  node   -r  release   -v  version   -m  machine\n";

int uname_main(int argc, char** argv) {
    static constexpr char letters[] = "snrvm";
    unsigned wanted = 0;
    for (int option; (option = next_option(argc, argv, "asnrvm", help)) != -1;) {
        wanted |= option == 'a' ? 31u : 1u << (strchr(letters, option) - letters);
    }
    struct utsname name;
    if (uname(&name) < 0) {
        return complain_about("uname");
    }
    const char* const fields[] = {name.sysname, name.nodename, name.release, name.version, name.machine};
    wanted = wanted != 0 ? wanted : 1;
    for (int i = 0; i < 5; ++i) {
        if (wanted & (1u << i)) {
            wanted &= ~(1u << i);
            printf("%s%c", fields[i], wanted != 0 ? ' ' : '\n');
        }
    }
    return 0;
}
