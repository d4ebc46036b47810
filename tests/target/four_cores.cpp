#include "stress/four_cores.h"

#include "CppUTest/TestHarness.h"

#include "target/crew.h"

namespace {

struct Worker {
    void (*work)(const void*, int);
    const void* argument;
    int number;
};

void run(void* of_worker) {
    const Worker& worker = *static_cast<Worker*>(of_worker);
    worker.work(worker.argument, worker.number);
}

}  // namespace

void run_on_four_cores(void (*work)(const void*, int), const void* argument) {
    static Worker workers[four_cores];      // a failed check leaves by longjmp; the workers may still run
    Crew crew;
    bool started = true;
    for (int i = 0; i < four_cores; ++i) {
        workers[i] = {work, argument, i};
        started = started && crew.start(run, &workers[i]);
    }
    const bool ended = crew.wait(120 * nanoseconds_per_second);
    CHECK_TRUE(started);
    CHECK_TRUE(ended);
}
