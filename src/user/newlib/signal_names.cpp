// What the signals are called.
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forklore/forklore.h"

namespace {

struct SignalName {
    const char* short_name;
    const char* description;
};

constexpr SignalName names[NSIG] = {
    {nullptr, "No signal"},
    {"HUP", "Hangup"},
    {"INT", "Interrupt"},
    {"QUIT", "Quit"},
    {"ILL", "Illegal instruction"},
    {"TRAP", "Breakpoint"},
    {"ABRT", "Aborted"},
    {"EMT", "Emulation trap"},
    {"FPE", "Arithmetic exception"},
    {"KILL", "Killed"},
    {"BUS", "Bus error"},
    {"SEGV", "Segmentation fault"},
    {"SYS", "Bad system call"},
    {"PIPE", "Broken pipe"},
    {"ALRM", "Alarm clock"},
    {"TERM", "Terminated"},
    {"URG", "Urgent condition"},
    {"STOP", "Stopped (signal)"},
    {"TSTP", "Stopped"},
    {"CONT", "Continued"},
    {"CHLD", "Child exited"},
    {"TTIN", "Stopped (terminal input)"},
    {"TTOU", "Stopped (terminal output)"},
    {"IO", "Input/output possible"},
    {"XCPU", "Processor time limit exceeded"},
    {"XFSZ", "File size limit exceeded"},
    {"VTALRM", "Virtual timer expired"},
    {"PROF", "Profiling timer expired"},
    {"WINCH", "Window size changed"},
    {"LOST", "Resource lost"},
    {"USR1", "User signal 1"},
    {"USR2", "User signal 2"},
};

bool valid(int signal) { return signal > 0 && signal < NSIG; }

}  // namespace

extern "C" {

const char* signal_description(int signal) {
    return valid(signal) ? names[signal].description : "Unknown signal";
}

const char* signal_short_name(int signal) {
    return valid(signal) ? names[signal].short_name : nullptr;
}

int signal_number(const char* name) {
    if (isdigit(static_cast<unsigned char>(*name))) {
        char* end;
        const long number = strtol(name, &end, 10);
        return *end == '\0' && number < NSIG ? static_cast<int>(number) : -1;
    }
    if (strncasecmp(name, "SIG", 3) == 0) {
        name += 3;
    }
    for (int signal = 1; signal < NSIG; ++signal) {
        if (strcasecmp(name, names[signal].short_name) == 0) {
            return signal;
        }
    }
    return -1;
}

// newlib's own strsignal knows only its real-time signals.
char* strsignal(int signal) { return const_cast<char*>(signal_description(signal)); }

}  // extern "C"
