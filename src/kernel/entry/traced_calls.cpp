// System calls with a record before and behind each: a table of its own, so that calls cost nothing more without a trace.
#include "kernel/entry/system_calls.h"
#include "machine/trace.h"

namespace {

// A call that gives the thread another life (exit, exec on loan) is left by whoever the thread is then, or never.
Result<uint64_t> traced_call(UserFrame& frame) {
    const uint64_t called = frame.x[8], place = frame.pc;
    trace::write(TraceKind::CallEnter, called, frame.x[0], place);
    Result<uint64_t> result = system_call_table.calls[called < SYS_COUNT ? called : uint64_t{SYS_COUNT}](frame);
    const uint64_t value = result.ok() ? result.value() : -static_cast<uint64_t>(result.error());
    trace::write(TraceKind::CallLeave, called, value, place);
    return result;
}

constexpr SystemCallTable make_table() {
    SystemCallTable table{};
    for (SystemCall& call : table.calls) {
        call = traced_call;
    }
    return table;
}
constinit const SystemCallTable traced_table = make_table();

}  // namespace

void trace_system_calls() { system_calls_made = &traced_table; }
