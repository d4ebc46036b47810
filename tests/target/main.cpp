// The test image's first thread: where the kernel would start /bin/init, it runs CppUTest instead, and the
// run ends with its result. Linked with --wrap, so that the kernel itself knows nothing of tests.
#include <string_view>

#include "CppUTest/CommandLineTestRunner.h"
#include "CppUTest/TestRegistry.h"

#include "base/panic.h"
#include "kernel/boot_arguments.h"
#include "kernel/log.h"
#include "kernel/sched.h"
#include "machine/power.h"

// The constructors of the tests and of CppUTest (the build renames their section): they may use
// floating-point registers, so they wait until there is a thread that owns some.
extern "C" void (*const __start_test_constructors[])();
extern "C" void (*const __stop_test_constructors[])();

namespace {

char filter[96];

// `test=` names one group, or Group.name.
void choose(const char**& next) {
    const std::string_view wanted = boot_arguments.test_filter;
    if (wanted.empty()) {
        return;
    }
    filter[wanted.copy(filter, sizeof filter - 1)] = '\0';
    *next++ = wanted.find('.') == std::string_view::npos ? "-sg" : "-t";
    *next++ = filter;
}

void run_tests(void*) {
    fp_first_use();
    for (auto* constructor = __start_test_constructors; constructor != __stop_test_constructors; ++constructor) {
        (*constructor)();
    }
    const char* arguments[4] = {"kernel-test", "-v"};
    const char** next = arguments + 2;
    choose(next);
    const int failures = CommandLineTestRunner::RunAllTests(static_cast<int>(next - arguments), arguments);
    power::off(failures == 0 ? 0 : 1);
}

}  // namespace

extern "C" void __wrap__Z19start_first_processv() {
    log_set_quiet(true);
    if (!kernel_thread_start("tests", run_tests, nullptr).ok()) {
        panic("no memory for the thread of the tests");
    }
}
