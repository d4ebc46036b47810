// Who ends when there is no memory left. See memory_pressure.h.
#include "kernel/proc/memory_pressure.h"

#include <algorithm>

#include "kernel/log.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "machine/clock.h"

namespace {

constexpr Nanoseconds between_looks = 1'000'000;
constexpr Nanoseconds patience = 5 * nanoseconds_per_second;    // with one who does not get to the end
constexpr unsigned above_all_bands = FL_BAND_CRITICAL + 1;

// A process as those see it who want its memory.
struct Candidate {
    Proc* proc = nullptr;
    uint64_t pages = 0;
    bool ending = false;        // it gives its memory back without being asked

    bool goes_before(const Candidate& other) const {
        return other.proc == nullptr || proc->memory_band < other.proc->memory_band ||
               (proc->memory_band == other.proc->memory_band && pages > other.pages);
    }
};

// What a process on loan runs in is its lender's.
Candidate look_at_locked(Proc& proc) REQUIRES(families_lock) {
    if (proc.pid == Pid::Kernel || proc.pid == Pid::Init || proc.state == ProcState::Zombie || proc.lent_thread != nullptr) {
        return {};
    }
    SpinGuard guard(proc.signals.lock);
    const bool killed = (proc.signals.pending & signal_bit(FL_SIGKILL)) != 0;
    return {.proc = &proc,
            .pages = resident_pages_locked(proc).value,
            .ending = proc.exiting || killed || proc.ended_for_memory};
}

// Somebody who is ending, if there is one; else the first to go of those below the band.
Candidate choose_locked(unsigned below) REQUIRES(families_lock) {
    Candidate choice;
    for (Proc& proc : all_processes()) {
        const Candidate candidate = look_at_locked(proc);
        if (candidate.ending) {
            return candidate;
        }
        if (candidate.pages != 0 && proc.memory_band < below && candidate.goes_before(choice)) {
            choice = candidate;
        }
    }
    return choice;
}

void end_locked(Proc& proc, uint64_t pages) REQUIRES(families_lock) {
    proc.ended_for_memory = true;
    {
        SpinGuard guard(proc.lock);     // for the name
        log("out of memory: {} ({}) of band {} ends, it has {} KiB", proc.inherited.name, proc.pid, proc.memory_band,
            pages * (page_size / 1024));
    }
    signal_process(proc, {.signal = FL_SIGKILL});
}

// The unique id of the process whose memory comes next, which is told to end unless it does so already. 0: there is none.
uint64_t make_somebody_end(unsigned below) {
    SpinGuard guard(families_lock);
    const Candidate chosen = choose_locked(below);
    if (chosen.proc == nullptr) {
        return 0;
    }
    if (!chosen.ending) {
        end_locked(*chosen.proc, chosen.pages);
    }
    return chosen.proc->unique_id;
}

void pause_locked() REQUIRES(families_lock) {
    Channel nobody_wakes;
    park(nobody_wakes, families_lock, {.deadline = machine_clock::now() + between_looks});
}

bool has_to_end(const Thread& thread) { return thread.asked(ReturnWork::Kill) || thread.asked(ReturnWork::Terminate); }

bool lives_locked(uint64_t unique_id) REQUIRES(families_lock) {
    for (Proc& proc : all_processes()) {
        if (proc.unique_id == unique_id) {
            return proc.state != ProcState::Zombie;
        }
    }
    return false;
}

// False if the caller has to end, or has waited for too long.
bool wait_for_end_of(uint64_t unique_id) {
    const Thread& self = *cpu::current_thread();
    const Nanoseconds last = machine_clock::now() + patience;
    SpinGuard guard(families_lock);
    while (lives_locked(unique_id)) {
        if (has_to_end(self) || machine_clock::now() > last) {
            return false;
        }
        pause_locked();
    }
    return true;
}

// The boot context of a core is no Thread yet, kernel threads act for no process.
bool current_thread_may_wait() {
    if (!cpu::interrupts_on() || cpu::current_base().tid == 0) {
        return false;
    }
    const Thread& self = *cpu::current_thread();
    return self.uthread != nullptr && !has_to_end(self) && !current_proc().exiting;
}

}  // namespace

bool relieve_memory_pressure(MemoryNeed need) {
    if (!current_thread_may_wait()) {
        return false;
    }
    unsigned below = above_all_bands;
    if (need == MemoryNeed::Call) {
        SpinGuard guard(families_lock);
        below = current_proc().memory_band;
    }
    const uint64_t unique_id = make_somebody_end(below);
    log_show();
    if (unique_id == 0) {
        if (need == MemoryNeed::Fault) {
            SpinGuard guard(families_lock);
            pause_locked();     // init's own: it tries again until somebody gives memory back
        }
        return false;
    }
    return wait_for_end_of(unique_id);
}

PageCount resident_pages_locked(Proc& proc) { return proc.task ? proc.task->space->resident_estimate() : PageCount(0); }

void inherit_memory_band_locked(Proc& child, const Proc& parent) {
    child.memory_band = std::min(parent.memory_band, static_cast<uint8_t>(FL_BAND_DEFAULT));
}

Result<uint64_t> sys_memory_band(UserFrame& frame) {
    const auto pid = static_cast<int32_t>(frame.x[0]);
    const auto band = static_cast<int32_t>(frame.x[1]);
    constexpr int ask_alone = -1;
    if (band < ask_alone || band > FL_BAND_CRITICAL) {
        return Error::Invalid;
    }
    const Ref<Credentials> caller = current_credentials();
    SpinGuard guard(families_lock);
    Proc* proc = pid == 0 ? &current_proc() : find_process_locked(static_cast<Pid>(pid));
    if (proc == nullptr) {
        return Error::NoProcess;
    }
    const uint8_t before = proc->memory_band;
    if (band != ask_alone) {
        SpinGuard proc_guard(proc->lock);
        const bool own = caller->effective_uid == proc->credentials->real_uid;
        if (!caller->is_root() && (!own || band > before)) {
            return Error::NotPermitted;
        }
        proc->memory_band = static_cast<uint8_t>(band);
    }
    return before;
}
