// Runs one check on the host, in a process of its own: `check Group.name`.
#include <setjmp.h>

#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "CppUTest/TestHarness.h"

#include "CppUTest/MemoryLeakWarningPlugin.h"
#include "CppUTest/TestFailure.h"
#include "CppUTest/TestOutput.h"
#include "grader/runner/host_check.h"
#include "grader/runner/records.h"
#include "machine/host.h"

namespace {

std::string last_panic, last_panic_trace;

class Records : public ConsoleTestOutput {
public:
    void printFailure(const TestFailure& failure) override {
        std::string message = failure.getMessage().asCharString();
        std::string where = trace();
        if (message.find("Unexpected exception") == 0 && !last_panic.empty()) {
            message = "panic: " + last_panic;
            where = last_panic_trace;
        }
        record({"failure", failure.getFileName().asCharString(), std::to_string(failure.getFailureLineNumber()), message, where, ""});
    }
};

}  // namespace

// Linked with --wrap: the place of a panic is lost once the exception that it is on the host has been thrown. A submission can find
// this code, so nothing in it leads to a verdict.
extern "C" [[noreturn]] void __real__Z5panicPKcmm(const char* message, uint64_t a, uint64_t b);
extern "C" [[noreturn]] void __wrap__Z5panicPKcmm(const char* message, uint64_t a, uint64_t b) {
    last_panic = message;
    last_panic_trace = trace();
    __real__Z5panicPKcmm(message, a, b);
}

bool panics(void (*call)(const void*), const void* with) {
    static jmp_buf stopped;
    static std::terminate_handler usual;
    if (setjmp(stopped) != 0) {
        return true;
    }
    usual = std::set_terminate([] {
        try {
            std::rethrow_exception(std::current_exception());
        } catch (const host::Panic&) {
            longjmp(stopped, 1);
        } catch (...) {
            usual();
        }
    });
    try {
        call(with);
    } catch (const host::Panic&) {
        return true;
    }
    std::set_terminate(usual);
    return false;
}

int main(int argc, char** argv) {
    std::string passed;
    if (argc != 2 || !read_words(passed)) {
        fprintf(stderr, "host_main: the grader starts this program\n");
        return 121;
    }
    MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
    host::start();
    Records output;
    run_check(argv[1], output, std::move(passed));
}
