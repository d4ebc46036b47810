// See records.h.
#include "grader/runner/records.h"

#include <execinfo.h>
#include <link.h>
#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "CppUTest/TestHarness.h"

#include "CppUTest/TestOutput.h"
#include "CppUTest/TestRegistry.h"
#include "CppUTest/TestResult.h"
#include "grader/runner/seed.h"

namespace {

int records_out = -1;
constexpr char field_end = '\x1f', record_end = '\x1e';

std::string word;       // of what is no pass
jmp_buf behind_the_test;

void send(std::string text, std::initializer_list<std::string> fields) {
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

// False if end_check() ended the test.
bool run_tests(TestRegistry& registry, TestResult& result) {
    if (setjmp(behind_the_test) != 0) {
        return false;
    }
    registry.runAllTests(result);
    return true;
}

}  // namespace

uintptr_t load_address() {
    uintptr_t base = 0;
    dl_iterate_phdr([](dl_phdr_info* info, size_t, void* data) {
        *static_cast<uintptr_t*>(data) = info->dlpi_addr;
        return 1;       // the first is the program itself
    }, &base);
    return base;
}

uint64_t check_seed = 1;
std::string schedule_wanted;

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

void record(std::initializer_list<std::string> fields) { send(word, fields); }

void end_check() { longjmp(behind_the_test, 1); }

bool read_words(std::string& passed) {
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
    // WORD PASSED SEED, and perhaps SCHEDULE.
    std::string line(text, used);
    explicit_bzero(text, sizeof text);
    const size_t first = line.find(' '), second = line.find(' ', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
        return false;
    }
    word = line.substr(0, first);
    passed = line.substr(first + 1, second - first - 1);
    char* end = nullptr;
    check_seed = strtoull(line.c_str() + second, &end, 10);
    schedule_wanted = *end == ' ' ? end + 1 : end;
    explicit_bzero(line.data(), line.size());
    return true;
}

void run_check(const char* name, TestOutput& output, std::string passed) {
    const std::string whole = name;
    const size_t dot = whole.find('.');
    TestFilter group(whole.substr(0, dot).c_str()), test(dot == std::string::npos ? "" : whole.c_str() + dot + 1);
    group.strictMatching();
    test.strictMatching();
    TestRegistry* registry = TestRegistry::getCurrentRegistry();
    registry->setGroupFilters(&group);
    registry->setNameFilters(&test);
    TestResult result(output);
    ASAN_POISON_MEMORY_REGION(passed.data(), passed.size());
    if (run_tests(*registry, result) && result.getRunCount() != 1) {
        record({"missing"});
        _exit(122);
    }
    ASAN_UNPOISON_MEMORY_REGION(passed.data(), passed.size());
    if (result.getFailureCount() == 0) {
        send(passed, {"passed"});
    } else {
        record({"failed"});
    }
    fflush(stdout);
    _exit(0);
}
