// What checks in the kernel share: four cores at once, each cut off again and again wherever it is.
#pragma once

#include "grader/runner/seed.h"
#include "grader/target/kernel/key.h"
#include "kernel/timer.h"
#include "target/crew.h"
#include "unit/support.h"

// While it lives, the core on which it was made is cut off every thousand instructions or so, wherever interrupts may come, and
// another core has its turn: under -icount a core would else run on for a hundred milliseconds. So what lies open between two
// steps that belong together is found by another core, and in the same way in each run.
class CutOff {
public:
    explicit CutOff(unsigned salt) : random_(salt) { cut_off(this); }
    CutOff(const CutOff&) = delete;
    ~CutOff() {
        stop_ = true;
        timer_.cancel();
    }

private:
    static void cut_off(void* of_self) {
        auto& self = *static_cast<CutOff*>(of_self);
        asm volatile("yield" ::: "memory");     // the next core's turn
        if (!self.stop_) {
            // On a board an interrupt takes a microsecond or two, and cores are as many as threads.
            const unsigned slower = orders.on_board != 0 ? 50 : 1;
            self.timer_.arm(machine_clock::now() + (400 + self.random_.below(2'000)) * slower);
        }
    }

    CheckRandom random_;
    std::atomic<bool> stop_{false};
    Timer timer_{cut_off, this};
};

// Runs work(0..3) at once, on all cores, each cut off often. Work never checks; it reports in what it refers to.
template <typename Work>
void on_all_cores(Work work) {
    struct Worker {
        Work* work;
        unsigned number;
    };
    static Worker workers[max_cores];   // a failed check leaves by longjmp, and the workers may still run
    static std::atomic<unsigned> ready;
    ready = 0;
    timers_rest = 0;
    Crew crew;
    for (unsigned i = 0; i < max_cores; ++i) {
        workers[i] = {&work, i};
        CHECK_TRUE_TEXT(crew.start([](void* of_worker) {
            const Worker& worker = *static_cast<Worker*>(of_worker);
            ++ready;
            while (ready < max_cores) {
                yield();
            }
            CutOff often(worker.number);
            (*worker.work)(worker.number);
        }, &workers[i]), "no memory for a thread");
    }
    CHECK_TRUE_TEXT(crew.wait(), "a thread waits for ever");
}
