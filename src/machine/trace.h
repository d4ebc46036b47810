// Trace: what happens, as records in one ring for each core, read from outside the machine (tools/trace_file.py), also
// after a panic. Off by default; then a probe costs a load and a branch.
//
// A record's place is the address of the code that it tells of; who is the process that the thread acts as, which during a
// loan is the child. A full ring goes on with its oldest record: `written` says how many there ever were.
#pragma once

#include <atomic>

#include "base/types.h"

// `a` and `b` of each kind. A name is the address of text in the image.
enum class TraceKind : uint8_t {
    Gather = 1,     // a process came into being: pid
    State,          // it took a step in its life: pid; state before, after (8 bits each), its wait status above
    Publish,        // everybody can find it: pid, the parent's pid
    Exec,           // it runs another program: pid; the Text record behind it on this core is the name
    Text,           // sixteen characters
    Gone,           // its last trace went, by reaping or because making it failed: pid, last state
    Switch,         // this core's thread changes: the next one's thread id; see TraceSwitch
    CallEnter,      // number, first argument
    CallLeave,      // number, result or the negated error
    Fault,          // of a program, or of the kernel on its behalf: address, ESR_EL1
    LockWait,       // somebody else holds it: name, address of the lock
    LockTaken,      // the end of such a wait: the same
    ZoneGrow,       // name, pages from now on
};

// `b` of a Switch.
struct TraceSwitch {
    uint32_t next_pid;
    uint8_t state_left;         // ThreadState of the thread that leaves
    bool to_idle;
    uint16_t zero = 0;
};

struct TraceRecord {
    Nanoseconds time;
    uint32_t thread;            // 0: a core that has no thread yet
    uint32_t who;               // the process's pid, the TraceKind in the top byte
    uint64_t place;
    uint64_t a, b;

    uint32_t pid() const { return who & 0xff'ffff; }
    TraceKind kind() const { return static_cast<TraceKind>(who >> 24); }
};
static_assert(sizeof(TraceRecord) == 40);

// What the reader looks for. Only its own core writes a ring, with interrupts off.
struct TraceRing {
    TraceRecord* records = nullptr;
    uint64_t mask = 0;                      // the capacity less one
    std::atomic<uint64_t> written{0};       // records ever; the next one's place is this modulo the capacity
    uint64_t unused = 0;
};
struct TraceBuffers {
    uint64_t magic = 0x3165636172744c46;    // "FLtrace1"
    uint64_t record_size = sizeof(TraceRecord);
    uint64_t capacity = 0;                  // records a ring, a power of two
    TraceRing rings[4];
};
extern TraceBuffers trace_buffers;

namespace trace {

inline bool on = false;     // written before other cores run

// Records, if the trace was started. `place`: null for the caller's.
void write(TraceKind kind, uint64_t a, uint64_t b, uint64_t place = 0);
// An Exec and its Text.
void write_exec(Pid pid, const char (&name)[32]);

// The usual probe.
inline void event(TraceKind kind, uint64_t a = 0, uint64_t b = 0) {
    if (on) [[unlikely]] {
        write(kind, a, b);
    }
}
inline void event(TraceKind kind, const char* name, uint64_t b) { event(kind, reinterpret_cast<uint64_t>(name), b); }
// Of the slow way into a lock; the place is its caller's, who wants the lock.
inline void lock_event(TraceKind kind, const char* name, const void* lock, const void* caller) {
    if (on) [[unlikely]] {
        write(kind, reinterpret_cast<uint64_t>(name), reinterpret_cast<uint64_t>(lock), reinterpret_cast<uint64_t>(caller));
    }
}

// Starts with rings of `capacity` records in `memory`, which is large enough and never given back. Core 0, before the others.
void start(void* memory, uint64_t capacity);
inline constexpr uint64_t bytes_for(uint64_t capacity) { return 4 * capacity * sizeof(TraceRecord); }

}  // namespace trace
