// The explorer: runs a case again and again, each time with another order of its threads, until all orders up to a bound
// have been seen or one of them goes wrong. docs/testing.md tells how to write a case and how to replay a schedule.
//
// A case is a function that makes threads, lets them run, and looks at what they left:
//
//     explore({}, [] {
//         explorer::thread("a", [] { ... });
//         explorer::thread("b", [] { ... });
//         explorer::run();
//         EXPECT(...);
//     });
//
// One thread runs at a time. At each scheduling point (explorer::point: a lock, an atomic operation that synchronises, a
// wake, a call of the seam) the explorer decides who goes on. All memory of the kernel is as before when the next schedule
// begins, so a schedule is its decisions, and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace explorer {

struct Options {
    unsigned preemptions = 2;       // all schedules with up to so many switches away from a thread that could go on
    uint64_t most = 20'000;         // schedules of that search; beyond it the search is not complete
    uint64_t random = 0;            // schedules chosen at random after it: for cases with too many
    bool relaxed = false;           // relaxed atomic operations are scheduling points too: for code without locks
    bool races = true;              // two accesses, one a write, that nothing orders are a failure
};

// What an exploration found.
struct Result {
    bool failed = false;
    std::string message;            // of the first failure
    std::string schedule;           // replays it
    uint64_t schedules = 0;         // run until then
    double seconds = 0;             // of processor time
    uint64_t points = 0;            // most decisions in one schedule
    bool complete = false;          // every schedule within the bound was run
};

// Explores, and reports a failure as CppUTest's, with the schedule and how to replay it.
void explore(const Options& options, const std::function<void()>& body);
// The same, but only tells: for the tests of the explorer itself.
Result search(const Options& options, const std::function<void()>& body);

// --- inside a case's body ---

// A thread of the case; it begins with the next run().
void thread(const char* name, std::function<void()> body);
// Lets the threads run until all have ended but the daemons, and those all sleep. If nobody can run before that: deadlock.
void run();
// The calling thread need not end.
void become_daemon();
// Fails the schedule: in a thread, in the body, anywhere.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));
#define EXPECT(condition)                                                              \
    do {                                                                               \
        if (!(condition)) {                                                            \
            explorer::fail("%s:%d: not so: %s", __FILE__, __LINE__, #condition);       \
        }                                                                              \
    } while (false)
#define EXPECT_EQUAL(wanted, actual)                                                                              \
    do {                                                                                                          \
        const auto explorer_wanted = static_cast<long long>(wanted);                                              \
        const auto explorer_actual = static_cast<long long>(actual);                                              \
        if (explorer_wanted != explorer_actual) {                                                                 \
            explorer::fail("%s:%d: %s is %lld and not %lld", __FILE__, __LINE__, #actual, explorer_actual,        \
                           explorer_wanted);                                                                      \
        }                                                                                                         \
    } while (false)

// What the threads of this schedule have done so far: numbers that are the same on every host.
struct Work {
    uint64_t accesses = 0;          // to memory, atomic ones too; of a larger piece each word counts
    uint64_t locks = 0;             // a SpinLock taken, or a byte that is changed and acquires, as what is made like one
};
Work work();

// --- from the command line ---

struct Settings {
    std::string replay;             // run this schedule alone, and tell its story
    uint64_t effort = 1;            // multiplies the numbers of schedules
    uint64_t seed = 1;
    bool counts = false;            // say how many schedules each case took
    bool races = true;              // look for races where the case does
    uintptr_t places_from = 0;      // not 0: a place is told as {offset offset ...} from there, innermost first, and somebody else names it
};
extern Settings settings;

}  // namespace explorer

using explorer::explore;
