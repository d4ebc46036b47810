// Starts the explorer's machine and CppUTest. Options of its own, besides CppUTest's:
//     --replay=SCHEDULE   run just that schedule of the cases that are chosen with -t, and tell its story
//     --effort=N          N times as many schedules      --seed=N   other ones
//     --counts            say how many schedules each case took
//     --no-races          look for no data races: a program that counts its own branches has some
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "CppUTest/CommandLineTestRunner.h"
#include "CppUTest/MemoryLeakWarningPlugin.h"

#include "explorer/explorer.h"
#include "explorer/machine/machine.h"

// An abandoned schedule leaves the stacks of its threads behind; the cases' ledgers find what the kernel loses.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

namespace {

bool option(const char* argument, const char* name, const char*& value) {
    const size_t length = strlen(name);
    if (strncmp(argument, name, length) != 0 || (argument[length] != '=' && argument[length] != '\0')) {
        return false;
    }
    value = argument[length] == '=' ? argument + length + 1 : "";
    return true;
}

bool taken(const char* argument) {
    using explorer::settings;
    const char* value = nullptr;
    if (option(argument, "--replay", value)) {
        settings.replay = value;
    } else if (option(argument, "--effort", value)) {
        settings.effort = strtoull(value, nullptr, 10);
    } else if (option(argument, "--seed", value)) {
        settings.seed = strtoull(value, nullptr, 10);
    } else if (option(argument, "--counts", value)) {
        settings.counts = true;
    } else if (option(argument, "--no-races", value)) {
        settings.races = false;
    } else {
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    setvbuf(stdout, nullptr, _IOLBF, 0);
    MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
    std::vector<const char*> others;
    for (int i = 0; i < argc; ++i) {
        if (i == 0 || !taken(argv[i])) {
            others.push_back(argv[i]);
        }
    }
    host::make_home();
    host::start();
    return CommandLineTestRunner::RunAllTests(static_cast<int>(others.size()), others.data());
}
