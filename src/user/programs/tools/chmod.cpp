// chmod: changes modes.
#include "user/programs/tools/tool.h"

#include <sys/stat.h>

static constexpr char help[] =
    "usage: chmod MODE FILE...\n"
    "MODE is octal, or letters: [ugoa][+-=][rwx], as in u+x or go-w.\n";

namespace {

// Applies one "[ugoa]*[+-=][rwx]*" to a mode; false if it is none.
bool apply(const char* text, mode_t& mode) {
    mode_t who = 0;
    for (; *text != '\0' && strchr("ugoa", *text) != nullptr; ++text) {
        who |= *text == 'u' ? 0700 : *text == 'g' ? 0070 : *text == 'o' ? 0007 : 0777;
    }
    who = who != 0 ? who : 0777;
    const char how = *text;
    if (how != '+' && how != '-' && how != '=') {
        return false;
    }
    mode_t bits = 0;
    for (++text; *text != '\0' && strchr("rwx", *text) != nullptr; ++text) {
        bits |= *text == 'r' ? 0444 : *text == 'w' ? 0222 : 0111;
    }
    bits &= who;
    mode = how == '+' ? mode | bits : how == '-' ? mode & ~bits : (mode & ~who) | bits;
    return *text == '\0';
}

}  // namespace

int chmod_main(int argc, char** argv) {
    no_options(argc, argv, help);
    if (argc - optind < 2) {
        usage_error("a mode and a file are wanted");
    }
    const char* wanted = argv[optind++];
    char* end;
    const mode_t octal = static_cast<mode_t>(strtoul(wanted, &end, 8));
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        struct stat info;
        if (stat(argv[i], &info) < 0) {
            status = complain_about(argv[i]);
            continue;
        }
        mode_t mode = info.st_mode & 07777;
        if (*end == '\0') {
            mode = octal;
        } else if (!apply(wanted, mode)) {
            return complain(wanted, "not a mode") + 1;
        }
        if (chmod(argv[i], mode) < 0) {
            status = complain_about(argv[i]);
        }
    }
    return status;
}
