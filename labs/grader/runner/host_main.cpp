// Runs one check on the host, in a process of its own: `check Group.name`.
//
// The descriptor in $WORDS brings this run's word and seed, that in $RECORDS takes the records. A record counts only with the word, so
// that the text of a student's file is never taken for one. Fields are parted by 0x1f, records end with 0x1e.
#include <execinfo.h>
#include <link.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "CppUTest/TestHarness.h"

#include "CppUTest/MemoryLeakWarningPlugin.h"
#include "CppUTest/TestFailure.h"
#include "CppUTest/TestOutput.h"
#include "CppUTest/TestRegistry.h"
#include "CppUTest/TestResult.h"
#include "grader/runner/host_check.h"
#include "grader/runner/seed.h"
#include "machine/host.h"

namespace {

int records_out = -1;
constexpr char field_end = '\x1f', record_end = '\x1e';

std::string word;
std::string last_panic, last_panic_trace;

uintptr_t load_address() {
    uintptr_t base = 0;
    dl_iterate_phdr([](dl_phdr_info* info, size_t, void* data) {
        *static_cast<uintptr_t*>(data) = info->dlpi_addr;
        return 1;       // the first is the program itself
    }, &base);
    return base;
}

// Where we are, as offsets into the program: the grader gives them names.
std::string trace() {
    void* frames[64];
    const int count = backtrace(frames, 64);
    const uintptr_t base = load_address();
    std::string text;
    for (int i = 1; i < count; ++i) {
        char one[32];
        snprintf(one, sizeof one, "%lx ", reinterpret_cast<uintptr_t>(frames[i]) - base - 1);
        text += one;
    }
    return text;
}

void record(std::initializer_list<std::string> fields) {
    std::string text = word;
    for (const std::string& field : fields) {
        text += field_end;
        for (char c : field) {
            text += c == field_end || c == record_end ? '?' : c;
        }
    }
    text += record_end;
    for (size_t done = 0; done < text.size();) {
        const ssize_t wrote = write(records_out, text.data() + done, text.size() - done);
        if (wrote <= 0) {
            _exit(120);
        }
        done += static_cast<size_t>(wrote);
    }
}

class Records : public ConsoleTestOutput {
public:
    void printFailure(const TestFailure& failure) override {
        std::string message = failure.getMessage().asCharString();
        std::string where = trace();
        if (message.find("Unexpected exception") == 0 && !last_panic.empty()) {
            message = "panic: " + last_panic;
            where = last_panic_trace;
        }
        record({"failure", failure.getFileName().asCharString(), std::to_string(failure.getFailureLineNumber()), message, where});
    }
};

// One line of words: the word, the seed.
bool read_words() {
    const char* in = getenv("WORDS");
    const char* out = getenv("RECORDS");
    if (in == nullptr || out == nullptr) {
        return false;
    }
    const int words_in = atoi(in);
    records_out = atoi(out);
    char text[256];
    size_t used = 0;
    for (ssize_t got; used < sizeof text && (got = read(words_in, text + used, sizeof text - used)) > 0;) {
        used += static_cast<size_t>(got);
    }
    close(words_in);
    const std::string line(text, used);
    const size_t space = line.find(' ');
    if (space == std::string::npos) {
        return false;
    }
    word = line.substr(0, space);
    check_seed = strtoull(line.c_str() + space, nullptr, 10);
    explicit_bzero(text, sizeof text);
    return true;
}

}  // namespace

uint64_t check_seed = 1;
bool panic_is_due = false;

// Linked with --wrap: the place of a panic is lost once the exception that it is on the host has been thrown.
extern "C" [[noreturn]] void __real__Z5panicPKcmm(const char* message, uint64_t a, uint64_t b);
extern "C" [[noreturn]] void __wrap__Z5panicPKcmm(const char* message, uint64_t a, uint64_t b) {
    if (panic_is_due) {
        record({"passed"});
        fflush(stdout);
        _exit(0);
    }
    last_panic = message;
    last_panic_trace = trace();
    __real__Z5panicPKcmm(message, a, b);
}

int main(int argc, char** argv) {
    const std::string name = argc == 2 ? argv[1] : "";
    const size_t dot = name.find('.');
    if (dot == std::string::npos || !read_words()) {
        fprintf(stderr, "host_main: the grader starts this program\n");
        return 121;
    }
    MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
    host::start();
    TestFilter group(name.substr(0, dot).c_str()), test(name.substr(dot + 1).c_str());
    group.strictMatching();
    test.strictMatching();
    TestRegistry* registry = TestRegistry::getCurrentRegistry();
    registry->setGroupFilters(&group);
    registry->setNameFilters(&test);
    Records output;
    TestResult result(output);
    registry->runAllTests(result);
    if (result.getRunCount() != 1) {
        record({"missing"});
        return 122;
    }
    record({result.getFailureCount() == 0 ? "passed" : "failed"});
    fflush(stdout);
    _exit(0);       // no destructor of a student's file runs behind the verdict
}
