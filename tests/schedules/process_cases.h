// What the cases about processes share: an init, and a ledger that must be as before when all have ended.
#pragma once

#include "abi/forklore.h"
#include "explorer/processes.h"
#include "kernel/proc/exit.h"
#include "schedules/support.h"

class ProcessCase : public Utest {
public:
    void start(int32_t pid_max = largest_pid_max) {
        explorer::start_processes(pid_max);
        before_ = new (memory_) explorer::Ledger;
    }
    // Before any process is added: a file that runs `program` stays.
    void add_file(const char* path, const explorer::Program& program) {
        explorer::add_program_file(path, program);
        before_ = new (memory_) explorer::Ledger;
    }
    // Runs what add_process() made until all have ended and init has collected them; then `look`.
    void explore_all(const explorer::Options& options, const std::function<void()>& look = [] {}) {
        explore(options, [this, &look] {
            explorer::run();
            look();
            before_->expect_equal();
        });
    }

private:
    explorer::Ledger* before_ = nullptr;
    alignas(explorer::Ledger) unsigned char memory_[sizeof(explorer::Ledger)];
};

inline int64_t error(Error error) { return -static_cast<int64_t>(error); }
