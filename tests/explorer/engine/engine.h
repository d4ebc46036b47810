// The inside of the explorer: threads that run one at a time, the points where they may change, who is ordered after whom.
// It knows nothing of the kernel; the machine (tests/explorer/machine) stands between. See ../explorer.h.
#pragma once

#include <ucontext.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace explorer {

inline constexpr unsigned max_threads = 16;     // in one schedule, the body of the case included
inline constexpr unsigned cores = 4;            // of the machine: so many threads are at work at a time

// Vector clocks: who has seen how much of whom.
struct Clock {
    uint32_t of[max_threads] = {};

    void join(const Clock& other) {
        for (unsigned i = 0; i < max_threads; ++i) {
            of[i] = of[i] > other.of[i] ? of[i] : other.of[i];
        }
    }
};

enum class State : uint8_t { Unused, Ready, Blocked, Ended };

// A logical thread. Number 0 is the body of the case; the others are a, b, c, ...
struct LogicalThread {
    static constexpr unsigned depth = 8;        // of a remembered place

    unsigned id = 0;
    State state = State::Unused;
    bool daemon = false;
    unsigned unwatched = 0;                     // its accesses are the machine's own
    int core = -1;                              // none while it sleeps
    int only_core = -1;                         // an interrupt's: it waits until this one is free
    const void* spins_on = nullptr;             // blocked until this atomic changes
    const void* looked_at = nullptr;            // the atomic that it read last, if it did nothing else since
    const char* doing = "";                     // for reports
    const void* object = nullptr;
    char name[32] = {};
    Clock clock;
    std::function<void()> body;
    void* machine = nullptr;                    // the machine's own
    void* place[depth] = {};                    // where it stood last, if the schedule is traced

    // Its context, kept over schedules: at the end of its body it waits in trampoline() for the next one. A thread that was
    // abandoned somewhere else begins on a new one.
    void* registers[5] = {};                    // of __builtin_setjmp
    bool waits_for_body = false;
    bool begun = false;
    ucontext_t context;                         // for its very first step
    char* stack = nullptr;
    void* fake_stack = nullptr;

    char letter() const { return id == 0 ? '-' : static_cast<char>('a' + id - 1); }
};

// --- called by the machine, in a thread ---

LogicalThread& self();
bool in_case();                                 // a case is being run: else there is nobody but the caller
LogicalThread& spawn(const char* name, std::function<void()> body, void* machine, int only_core = -1);
// Somebody else may go on from here. `what` says what the thread is about to do, to which object.
void point(const char* what, const void* object = nullptr);
// Others go first.
void yield(const char* what);
// Until the atomic that the thread looked at last changes.
void relax();
// Until unblock(). Its core is free meanwhile.
void block(const char* what, const void* object);
void unblock(LogicalThread& thread);
// Ends the calling thread; does not return.
[[noreturn]] void end();

// The accesses of a scope are the machine's own: no race with them counts.
class Unwatched {
public:
    Unwatched();
    ~Unwatched();
    Unwatched(const Unwatched&) = delete;
    Unwatched& operator=(const Unwatched&) = delete;
};

// Atomic operations: before one, and after it.
void before_atomic(const void* address, size_t size, std::memory_order order);
void after_atomic(const void* address, std::memory_order order, bool read, bool changed);
void fence();

// --- what the machine defines ---

namespace machine {
void enter(LogicalThread& thread);              // it runs from now on
void on_core(LogicalThread& thread, int core);
void left(LogicalThread& thread);               // its body has returned: let go of what the machine gave it
bool pass_time();                               // nobody can run: the clock moves on; false if nobody waits for it
void describe(const LogicalThread& thread, std::string& text);
std::string name_of(const void* object);        // of a lock, say; empty if unknown
struct Memory {
    char* start;
    size_t bytes;
};
Memory ram();                                   // that is put back for each schedule, besides all global variables
void new_case();                                // before a schedule: what lies outside of that memory
}  // namespace machine

// --- between the parts of the engine ---

// races.cpp
namespace races {
void begin(bool on);                            // a new schedule
void track(bool on, LogicalThread* thread);     // whose accesses are looked at
void check_atomic(const void* address, size_t size);    // AddressSanitizer's check
void acquire(const void* address, Clock& clock);
void release(const void* address, Clock& clock);
void everything(Clock& clock);                  // a fence: ordered with all other fences
}  // namespace races

// snapshot.cpp
namespace snapshot {
void take();
void restore();
void drop();
}  // namespace snapshot

// fibers.cpp: one schedule
struct Decision {
    uint16_t able;          // bit for each thread that could go on
    uint8_t chosen;
    uint8_t usual;          // what an empty schedule does here
    bool preemptive;        // another choice takes the core from a thread that could go on
};

struct Deviation {
    uint32_t at;
    uint8_t thread;
};

class Chooser {
public:
    // One of `able`, which has at least two bits.
    virtual unsigned choose(uint32_t at, uint16_t able, unsigned usual) = 0;

protected:
    ~Chooser() = default;
};

struct Outcome {
    bool failed = false;
    std::string message;
};
// Runs the body once. The decisions made are in decisions() until the next time.
Outcome execute(const std::function<void()>& body, Chooser& chooser, bool relaxed, bool races, bool trace);
const Decision* decisions(size_t& count);
// `function at src/file:line`, or as settings.places_from says; empty if the place has no name.
std::string readable_place(const void* pc);
std::string schedule_so_far();                  // for the last words of a process that dies
[[noreturn]] void fail_text(std::string text);

}  // namespace explorer
