// What all processes of a storm share: counts, and the proof that no pid lives twice.
//
// Each child claims the byte of its pid with an atomic exchange and lets go of it before its exit can be collected, so that
// two processes of one number find each other. The memory is one shared mapping, made before the first fork.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <atomic>

namespace storm {

constexpr int most_workers = 16;
constexpr int highest_pid_max = 99999;

// One line of a worker, which others read.
struct Worker {
    std::atomic<uint32_t> wraps;        // how often a pid of its children was below the one before
    std::atomic<int32_t> subject;       // a pid that a helper of the worker waits for; -1: there will be none
};

struct Board {
    uint32_t wanted;                        // processes to make
    std::atomic<uint32_t> made;             // so far
    std::atomic<uint32_t> tenths;           // of the work, that have been reported
    std::atomic<uint32_t> refused;          // EAGAIN and ENOMEM
    std::atomic<uint32_t> mistakes;
    std::atomic<int32_t> orphans;           // that init has to collect, alive
    std::atomic<uint32_t> kinds[32];        // how often each kind of event ran
    Worker workers[most_workers];
    std::atomic<uint8_t> living[highest_pid_max + 1];
};
extern Board* board;
extern Worker* worker;      // the calling worker's line; its children's too

// Makes the board; false without memory.
bool make_board(uint32_t wanted);

// Prints one line and counts a mistake.
[[gnu::format(printf, 1, 2)]] void complain(const char* format, ...);
// A condition that must hold; false after complaining.
#define EXPECT(condition) \
    ((condition) || (storm::complain("%s:%d: %s (errno %d)", __FILE_NAME__, __LINE__, #condition, errno), false))

extern uint8_t claims_as;       // the mark of the event under way, not 0
void claim(pid_t pid);
void let_go(pid_t pid);
// The end of a child whose exit somebody collects.
[[noreturn]] void leave(int status);

// xorshift64*: the same numbers for the same seed everywhere.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x632be59bd9b4e019) {}
    uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1d;
    }
    unsigned below(unsigned limit) { return static_cast<unsigned>((next() >> 32) % limit); }
    bool chance(unsigned one_in) { return below(one_in) == 0; }

private:
    uint64_t state_;
};

// fork; the child has claimed its pid. -1 if the machine is full: refused with EAGAIN or ENOMEM, which is counted.
pid_t try_fork();
// What both sides do with a new pid: counting and the wrap.
void count_process(pid_t pid);
// A line for each tenth of the work.
void report_progress();
// After a refusal: counts it, complains about any other error.
void count_refusal();

// waitpid until it gives this child; the wait status, -1 after complaining.
int collect(pid_t pid);
// Collects a child and complains unless it left with this status, or ended by this signal.
void expect_exit(pid_t pid, int status);
void expect_signal(pid_t pid, int signal);

// Memory that fork must copy: filled with a pattern, looked at and changed by both sides.
void fill_memory(uint64_t pattern);
bool memory_holds(uint64_t pattern);

// A pipe whose writing end is in one child alone: the reading end tells when that child and all that it made have ended,
// before its exit is collected. Lets the parent let go of the pid of a child that can not do it itself.
class Lifeline {
public:
    Lifeline();
    ~Lifeline();
    bool ok() const { return read_ >= 0; }
    void in_child();            // keeps the writing end, also through exec
    void wait_for_end();        // in the parent, after the fork
private:
    int read_ = -1, write_ = -1;
};

void pause_a_little(Random& random);

}  // namespace storm
