// kill: sends signals.
#include "user/programs/tools/tool.h"

#include <signal.h>

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: kill [-SIGNAL | -s SIGNAL] PID...\n"
    "       kill -l [NUMBER]\n"
    "Sends a signal (TERM) to processes; a negative PID is a process group.\n"
    "  -l  list the signals, or name the one of this number or exit status\n";

static int list_signals(const char* wanted) {
    if (wanted != nullptr) {
        const long number = number_argument(wanted) & 127;
        const char* name = signal_short_name(static_cast<int>(number));
        if (name == nullptr) {
            return complain(wanted, "no such signal");
        }
        puts(name);
        return 0;
    }
    for (int signal = 1; signal < NSIG; ++signal) {
        printf("%2d %-8s%s", signal, signal_short_name(signal), signal % 6 == 0 ? "\n" : " ");
    }
    puts("");
    return 0;
}

int kill_main(int argc, char** argv) {
    int signal = SIGTERM, first = 1;
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        return list_signals(argc > 2 ? argv[2] : nullptr);
    }
    if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "--") != 0) {
        const char* name = argv[1] + 1;
        first = 2;
        if (strcmp(name, "s") == 0 && argc > 2) {
            name = argv[2];
            first = 3;
        }
        signal = signal_number(name);
        if (signal < 0) {
            complain(name, "no such signal");
            return 2;
        }
    } else if (argc > 1 && strcmp(argv[1], "--") == 0) {
        first = 2;
    }
    if (first >= argc) {
        usage_error("a process is missing");
    }
    int status = 0;
    for (int i = first; i < argc; ++i) {
        if (kill(static_cast<pid_t>(number_argument(argv[i])), signal) < 0) {
            status = complain_about(argv[i]);
        }
    }
    return status;
}
