// Writing a trace record. Here, and not beside its header, because it says as which process a thread acts.
#include "machine/trace.h"

#include <bit>
#include <cstring>

#include "kernel/core.h"
#include "kernel/proc/proc.h"
#include "machine/clock.h"

TraceBuffers trace_buffers;
static_assert(max_cores == 4);

namespace {

// The boot context of a core is no Thread yet. A loan is looked at as it is, whoever made it.
uint32_t pid_of(const ThreadBase& base) {
    const UThread* uthread = base.tid != 0 ? static_cast<const Thread&>(base).uthread : nullptr;
    if (uthread == nullptr) {
        return 0;
    }
    return static_cast<uint32_t>(number(uthread->loan ? uthread->loan->child().pid : uthread->proc->pid));
}

inline void put(TraceKind kind, uint64_t a, uint64_t b, uint64_t place) {
    const ThreadBase& self = cpu::current_base();
    TraceRing& ring = trace_buffers.rings[self.cpu->id];
    const uint64_t written = ring.written.load(std::memory_order_relaxed);
    ring.records[written & ring.mask] = {.time = machine_clock::now(),
                                         .thread = self.tid,
                                         .who = pid_of(self) | static_cast<uint32_t>(kind) << 24,
                                         .place = place,
                                         .a = a,
                                         .b = b};
    ring.written.store(written + 1, std::memory_order_release);
}

}  // namespace

namespace trace {

void start(void* memory, uint64_t capacity) {
    for (TraceRing& ring : trace_buffers.rings) {
        ring.records = static_cast<TraceRecord*>(memory) + capacity * static_cast<uint64_t>(&ring - trace_buffers.rings);
        ring.mask = capacity - 1;
        ring.written.store(0, std::memory_order_relaxed);
    }
    trace_buffers.capacity = capacity;
    on = true;
}

void write(TraceKind kind, uint64_t a, uint64_t b, uint64_t place) {
    InterruptGuard guard;
    put(kind, a, b, place != 0 ? place : reinterpret_cast<uint64_t>(__builtin_return_address(0)));
}

void write_exec(Pid pid, const char (&name)[32]) {
    uint64_t text[2];
    memcpy(text, name, sizeof text);
    const uint64_t place = reinterpret_cast<uint64_t>(__builtin_return_address(0));
    InterruptGuard guard;
    put(TraceKind::Exec, static_cast<uint64_t>(number(pid)), 0, place);
    put(TraceKind::Text, text[0], text[1], place);
}

}  // namespace trace

void trace_switch(const Core& core, const Thread& self, const Thread& next) {
    const TraceSwitch how{.next_pid = pid_of(next),
                          .state_left = static_cast<uint8_t>(self.state.load(std::memory_order_relaxed)),
                          .to_idle = &next == core.idle};
    trace::write(TraceKind::Switch, next.tid, std::bit_cast<uint64_t>(how));
}
