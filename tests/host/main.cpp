// Starts the host's machine and CppUTest.
#include "CppUTest/CommandLineTestRunner.h"
#include "CppUTest/MemoryLeakWarningPlugin.h"

#include "machine/host.h"

int main(int argc, char** argv) {
    // AddressSanitizer finds leaks, with a better report; CppUTest would count the machine's own records as leaks.
    MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
    host::start();
    return CommandLineTestRunner::RunAllTests(argc, argv);
}
