// What a host test can set and look at, behind the machine's back.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "machine/cpu.h"
#include "machine/fp.h"
#include "machine/mmu.h"
#include "machine/user_frame.h"

class AddressSpace;

namespace host {

// Once, before the first test: RAM, page frames, zones.
void start();

// --- panic ---

// Thrown by panic(). A destructor that panics ends the run: it may not throw.
struct Panic {
    std::string message;
};

// --- cores and threads ---

// The calling std::thread gives its core back at its end; at most max_cores are cores at once.
// Makes `thread` the current one of this core, for code that asks who runs; gives back the one before.
Thread& set_current(Thread& thread);
// Threads that thread_start() was called with, oldest first. They do not run: a test plays their part.
extern std::vector<Thread*> started;
// Told of a thread before it is started, and before it is given its way into its program.
extern std::function<void(Thread&)> start_observe, entry_observe;
// Thrown by thread_exit() and by enter_user(), which do not return.
struct ThreadExited {};
struct EnteredUser {
    UserFrame frame;
};
size_t sleeping();                  // threads that are asleep now
extern unsigned interrupts_sent;    // to other cores

// --- floating point ---

// What the current thread's program has in this core's registers and thread.fp has not yet: fp_sync() brings it there.
extern thread_local std::optional<FpState> fp_unsaved;

// --- clock ---

void set_clock(Nanoseconds now);    // sleepers whose deadline has passed wake up
// A sleeper with a deadline, whom nobody wakes for some real milliseconds, moves the clock there itself; on by default.
extern std::atomic<bool> clock_moves;
Nanoseconds deadline_of(unsigned core);     // as set by machine_clock::set_deadline

// --- RAM ---

bool poisoned(const void* start, size_t bytes);     // all of it; never without AddressSanitizer

// --- console ---

extern std::string console_text;

// --- what hardware does at our word: tables and TLBs, caches, devices, events ---

struct MmuCall {
    enum class Kind { Activate, ActivateNone, InvalidatePage, InvalidateSpace, InvalidateAll, EntriesWritten,
                      InstructionsChanged, DataCleaned, DeviceBarrier, EventSent } kind;
    uint64_t address = 0;           // of the root, of the page, or of the instructions or data
    mmu::Asid asid = 0;
    uint64_t bytes = 0;             // of instructions or data
};
// Written while recording is on. `observe` sees each call as it is made, recording or not.
extern std::vector<MmuCall> mmu_calls;
extern bool mmu_recording;
extern std::function<void(const MmuCall&)> mmu_observe;
void record(const MmuCall& call);
extern unsigned asid_width;         // what mmu::asid_bits() says

// --- the program's memory ---

// Where user_access goes on this core; nullptr: to the current thread's task.
extern thread_local AddressSpace* user_space;

}  // namespace host
