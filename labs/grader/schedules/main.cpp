// Runs one check of the schedule explorer (tests/explorer) in a process of its own: `check Group.name`. Takes the place of the
// explorer's main.cpp and report.cpp.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "CppUTest/TestHarness.h"

#include "CppUTest/MemoryLeakWarningPlugin.h"
#include "CppUTest/TestFailure.h"
#include "CppUTest/TestOutput.h"
#include "explorer/explorer.h"
#include "explorer/machine/machine.h"
#include "grader/runner/records.h"
#include "grader/runner/seed.h"

extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

namespace {

std::string failing_schedule;

// What the explorer prints, the story of the schedule that failed. It goes out in the end, for a story may be longer than what the
// grader takes.
class Story {
public:
    Story() : stdout_(stdout) { stdout = open_memstream(&text_, &size_); }
    void print() {
        constexpr size_t most = 48 * 1024;
        fclose(stdout);
        stdout = stdout_;
        fwrite(text_, 1, size_ < most ? size_ : most, stdout);
        if (size_ > most) {
            fputs("\n    ... and so on\n", stdout);
        }
        fflush(stdout);
    }

private:
    FILE* stdout_;
    char* text_ = nullptr;
    size_t size_ = 0;
};
Story* story = nullptr;

class Records : public ConsoleTestOutput {
public:
    void printBuffer(const char*) override {}       // what is said goes into the record
    void printFailure(const TestFailure& failure) override {
        story->print();
        record({"failure", failure.getFileName().asCharString(), std::to_string(failure.getFailureLineNumber()),
                failure.getMessage().asCharString(), failing_schedule.empty() ? trace() : "", failing_schedule});
    }
};

}  // namespace

void explorer::explore(const Options& options, const std::function<void()>& body) {
    const Result result = search(options, body);
    if (result.failed) {
        failing_schedule = result.schedule;
        FAIL(result.message.c_str());
    }
}

int main(int argc, char** argv) {
    std::string passed;
    if (argc != 2 || !read_words(passed)) {
        fprintf(stderr, "schedules: the grader starts this program\n");
        return 121;
    }
    explorer::settings.seed = check_seed;
    explorer::settings.replay = schedule_wanted;
    explorer::settings.places_from = load_address();
    MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
    story = new Story;
    host::make_home();
    host::start();
    Records output;
    run_check(argv[1], output, std::move(passed));
}
