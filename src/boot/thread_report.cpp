// Processes and where their threads sleep.
#include "boot/thread_report.h"

#include "boot/backtrace.h"
#include "kernel/core.h"
#include "kernel/log.h"
#include "kernel/proc/family.h"
#include "machine/console.h"

namespace {

void put_text(void*, std::string_view text) { console::put(text); }
constexpr TextSink out{put_text, nullptr};

const char* name_of(ProcState state) {
    constexpr const char* names[] = {"being made", "running", "stopped", "exiting", "zombie"};
    return names[static_cast<unsigned>(state)];
}

const char* name_of(ThreadState state) {
    constexpr const char* names[] = {"waiting to be started", "ready", "running", "blocked", "sleeping", "dead"};
    return names[static_cast<unsigned>(state)];
}

// Of a line at a time.
struct LogLines {
    TextBuffer<200> line;
    static void put(void* self, std::string_view text) {
        auto& line = static_cast<LogLines*>(self)->line;
        if (text != "\n") {
            line.add("{}", text);
            return;
        }
        log("{}", line.text());
        line = {};
    }
    TextSink sink() { return {put, this}; }
};

void log_place(const Thread& thread) {
    if (thread.on_core.load(std::memory_order_acquire)) {
        log("  it is on core {}", thread.cpu->id);
        return;
    }
    LogLines lines;
    print_backtrace(lines.sink(), 0, thread.context.frame_pointer);
}

void log_holder(ThreadBase& base) {
    const auto& holder = static_cast<const Thread&>(base);
    log("thread {} ({}) holds it, {}", holder.tid, std::string_view(holder.name), name_of(holder.state.load(std::memory_order_relaxed)));
    log_place(holder);
}

void report_thread(const Thread& thread) {
    const ThreadState state = thread.state.load(std::memory_order_relaxed);
    format_to(out, "  thread {} {}, asked {}", thread.tid, name_of(state),
              thread.return_work.load(std::memory_order_relaxed));
    if (thread.on_core.load(std::memory_order_acquire)) {
        format_to(out, ", on core {}\n", thread.cpu->id);
        return;
    }
    format_to(out, "\n");
    print_backtrace(out, 0, thread.context.frame_pointer);
}

void report_process(Proc& proc) REQUIRES(families_lock) {
    format_to(out, "{} ({}) {}, parent {}", proc.inherited.name, proc.pid, name_of(proc.state),
              proc.parent != nullptr ? proc.parent->pid : Pid::None);
    SpinGuard guard(proc.signals.lock);
    if (proc.lent_thread != nullptr) {
        format_to(out, ", on loan of thread {}", proc.lent_thread->tid);
    }
    format_to(out, ", pending signals {}, loans {}\n", proc.signals.pending, proc.loans);
    if (proc.task) {
        SpinGuard task_guard(proc.task->lock);
        for (const Thread& thread : proc.task->threads) {
            report_thread(thread);
        }
    }
}

}  // namespace

void report_long_wait(Thread& waiter, Mutex& mutex) {
    log("thread {} ({}) has waited long for mutex \"{}\" (rank {})", waiter.tid, std::string_view(waiter.name), mutex.name(), mutex.rank());
    log_place(waiter);
    mutex.show_holder(log_holder);
}

void report_threads() {
    SpinGuard guard(families_lock);
    for (Proc& proc : all_processes()) {
        report_process(proc);
    }
}
