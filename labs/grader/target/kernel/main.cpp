// The runner's thread, where the kernel would start /bin/init: it runs the checks that are in the kernel, or makes
// /dev/grader and starts the program with the others as the first process. Linked with --wrap; the kernel knows nothing of it.
#include <string_view>

#include "CppUTest/TestFailure.h"
#include "CppUTest/TestHarness.h"
#include "CppUTest/TestOutput.h"
#include "CppUTest/TestRegistry.h"
#include "CppUTest/TestResult.h"

#include "base/panic.h"
#include "grader/target/kernel/device.h"
#include "grader/target/kernel/key.h"
#include "grader/target/kernel/records.h"
#include "kernel/log.h"
#include "kernel/sched.h"

// The constructors of the checks and of CppUTest (the build renames their section): they may use floating-point registers,
// so they wait until there is a thread that owns some.
// Weak: a lab may have no check in the kernel.
extern "C" [[gnu::weak]] void (*const __start_test_constructors[])();
extern "C" [[gnu::weak]] void (*const __stop_test_constructors[])();

namespace {

// The first failure ends the run.
class Verdicts : public ConsoleTestOutput {
public:
    void printFailure(const TestFailure& failure) override {
        const SimpleString text = StringFromFormat("%s:%d\n%s", failure.getFileName().asCharString(), static_cast<int>(failure.getFailureLineNumber()),
                                                   failure.getMessage().asCharString());
        records::fail(text.asCharString());
    }
};

void run_check(const char* name, TestOutput& output) {
    const std::string_view whole = name;
    const size_t dot = whole.find('.');
    TestFilter group(SimpleString(name).subString(0, dot)), test(name + dot + 1);
    group.strictMatching();
    test.strictMatching();
    TestRegistry& registry = *TestRegistry::getCurrentRegistry();
    registry.setGroupFilters(&group);
    registry.setNameFilters(&test);
    records::begin(name);
    TestResult result(output);
    registry.runAllTests(result);
    if (result.getRunCount() != 1) {
        records::put("missing", name);
        records::end();
    }
    records::pass();
}

void run_checks(void*) {
    fp_first_use();
    for (auto* constructor = __start_test_constructors; constructor != __stop_test_constructors; ++constructor) {
        (*constructor)();
    }
    Verdicts output;
    const char* name = orders.names;
    for (uint32_t i = 0; i < orders.count; ++i, name += std::string_view(name).size() + 1) {
        run_check(name, output);
    }
    records::end();
}

}  // namespace

extern "C" void __real__Z19start_first_processv();
extern "C" void __wrap__Z19start_first_processv() {
    log_set_quiet(true);
    if (orders.magic != TargetOrders::right_magic) {
        panic("this kernel is started by the grader, which leaves its orders in memory");
    }
    if (orders.at_el0 != 0) {
        make_grader_device();
        __real__Z19start_first_processv();
    } else if (!kernel_thread_start("checks", run_checks, nullptr).ok()) {
        panic("no memory for the thread of the checks");
    }
}
