// An exploration as a test of CppUTest.
#include "explorer/explorer.h"

#include <cstdio>

#include "CppUTest/TestHarness.h"

namespace explorer {
namespace {

std::string name_of_test() {
    UtestShell& test = *UtestShell::getCurrent();
    return std::string(test.getGroup().asCharString()) + "." + test.getName().asCharString();
}

}  // namespace

void explore(const Options& options, const std::function<void()>& body) {
    const Result result = search(options, body);
    if (settings.counts || result.failed) {
        printf("  %s: %llu schedules%s, up to %llu decisions, %.0f schedules a second\n", name_of_test().c_str(),
               static_cast<unsigned long long>(result.schedules), result.complete ? ", all within the bound" : "",
               static_cast<unsigned long long>(result.points),
               static_cast<double>(result.schedules) / (result.seconds > 0 ? result.seconds : 1));
    }
    if (result.failed) {
        const std::string text = result.message + "\n    again: make test ONLY=schedules:" + name_of_test() + " REPLAY=" + result.schedule;
        FAIL(text.c_str());
    }
}

}  // namespace explorer
