// The first process of a machine that runs checks at EL0: it runs those that /dev/grader names, and tells the kernel's half of
// the runner of each. The first failure ends the run; the grader goes on in a new machine.
#include <string>

#include "CppUTest/TestFailure.h"
#include "CppUTest/TestOutput.h"
#include "CppUTest/TestRegistry.h"
#include "CppUTest/TestResult.h"

#include "grader/runner/seed.h"
#include "grader/target/program/program_check.h"
#include "user/support/support.h"

uint64_t check_seed = 1;

namespace {

int grader = -1;

void tell(const std::string& text) { write(grader, text.data(), text.size()); }

class Verdicts : public ConsoleTestOutput {
public:
    void printFailure(const TestFailure& failure) override {
        tell(std::string("fail ") + failure.getFileName().asCharString() + ":" + std::to_string(failure.getFailureLineNumber()) + "\n" +
             failure.getMessage().asCharString());
    }
};

void run_check(const std::string& name, TestOutput& output) {
    const size_t dot = name.find('.');
    TestFilter group(name.substr(0, dot).c_str()), test(name.substr(dot + 1).c_str());
    group.strictMatching();
    test.strictMatching();
    TestRegistry& registry = *TestRegistry::getCurrentRegistry();
    registry.setGroupFilters(&group);
    registry.setNameFilters(&test);
    tell("begin " + name);
    TestResult result(output);
    registry.runAllTests(result);
    tell(result.getRunCount() == 1 ? "pass" : "missing " + name);
}

// No more is there than the kernel gave: the console has to be opened.
void open_console() {
    while (open("/dev/console", O_RDWR) < STDERR_FILENO) {
    }
}

}  // namespace

void let_the_grader_look(const std::string& what) { tell("look " + what); }

int main(int argc, char** argv) {
    program_path = argv[0];
    if (argc == 3 && strcmp(argv[1], "role") == 0) {
        return Role::play(argv[2]);
    }
    open_console();
    grader = fcntl(open("/dev/grader", O_RDWR), F_DUPFD_CLOEXEC, 20);
    char text[4096];
    const ssize_t length = read(grader, text, sizeof text);
    std::string rest(text, length > 0 ? static_cast<size_t>(length) : 0);
    const auto line = [&rest] {
        const size_t end = rest.find('\n');
        const std::string first = rest.substr(0, end);
        rest.erase(0, end == std::string::npos ? end : end + 1);
        return first;
    };
    check_seed = strtoull(line().c_str(), nullptr, 10);
    warm_up();
    Verdicts output;
    while (!rest.empty()) {
        run_check(line(), output);
    }
    tell("end");
    return 1;
}
