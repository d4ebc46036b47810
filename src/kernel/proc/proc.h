// Proc: the identity of a program: number, kin, credentials, files, signal actions, limits.
//
// Life: Creating -> Running <-> Stopped -> Exiting -> Zombie, then reaped. Only proc_transition() changes the state.
// Locks: families_lock for kin and state; `lock` for the references; signals.lock for signals. Counterpart: struct proc.
#pragma once

#include <optional>

#include "base/relaxed.h"
#include "kernel/fs/file_table.h"
#include "kernel/fs/vnode.h"
#include "kernel/proc/belonging.h"
#include "kernel/proc/cpu_limit.h"
#include "kernel/proc/credentials.h"
#include "kernel/proc/interval_timer.h"
#include "kernel/proc/limits.h"
#include "kernel/proc/pid.h"
#include "kernel/proc/proc_watch.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/uthread.h"
#include "kernel/task.h"

class ProcessGroup;

enum class ProcState : uint8_t { Creating, Running, Stopped, Exiting, Zombie };

// What exec writes, in the only thread that the process then has. A base, so that it is copied as a block.
struct ProgramIdentity {
    char name[32] = {};         // of the program, for people: written under Proc::lock, for others who read it
    bool executable_set_id = false;     // it runs with an identity that its program file gave it
};

// What a child has by copy: fork copies this struct whole, so that a field can not be forgotten. The copy takes no lock.
// What others may change meanwhile is Relaxed.
struct Inherited : ProgramIdentity, Belonging {
    Relaxed<int8_t> nice = 0;                   // written under families_lock
    Relaxed<ForkloreAuditIdentity> audit;       // on whose behalf it acts, written under families_lock
    Relaxed<uint32_t> file_mode_mask = 022;     // written under Proc::lock
    // Carried for those who ask (trait_calls.cpp), written under families_lock.
    Relaxed<Pid> responsible = Pid::None;       // who answers for what it does, where people are asked; init for itself
    Relaxed<uint8_t> io_policy = 0;             // how its files are read and written
    Relaxed<uint32_t> code_flags = 0;           // what is known of its program's signature, but for FL_CODE_KILLED
};

// "pstats" of the original: fresh in every process, cleared when freed.
struct ProcStats {
    static Zone& zone();
    Nanoseconds start = 0;      // monotonic
    std::optional<ForkloreUsage> children;      // of the reaped ones; none: it reaped nobody yet
    Nanoseconds user = 0, system = 0;   // of the threads that ended
    uint64_t voluntary_switches = 0, involuntary_switches = 0, signals = 0;
    uint64_t minor_faults = 0;
    uint64_t peak_pages = 0;            // of the address spaces that are gone

    void address_space_goes(const AddressSpace& space) {
        const uint64_t peak = space.peak_estimate().value;
        peak_pages = peak > peak_pages ? peak : peak_pages;
    }
};

class Proc {
public:
    static Zone& zone();
    // Takes over the pid, which is in use as a Process; gives it back at the end.
    explicit Proc(Pid number);
    ~Proc();

    const Pid pid;
    uint64_t unique_id = 0;
    uint32_t id_version = 0;
    Inherited inherited;

    // Guarded by families_lock.
    ProcState state = ProcState::Creating;
    Proc* parent = nullptr;             // changed by set_parent_locked
    std::atomic<Pid> parent_pid{Pid::None};     // the same for getppid, which takes no lock
    ProcessGroup* group = nullptr;
    ListNode table_link, hash_link, sibling_link, group_link;
    List<Proc, &Proc::sibling_link> children;
    List<ProcWatch, &ProcWatch::link> watches;  // who wants to know what it does: a child has none
    Channel children_changed;           // wait4 sleeps here
    int wait_status = 0;                // of a zombie, or the stop signal of a stopped process
    bool stop_unreported = false, continue_unreported = false;
    bool code_killed = false;           // FL_CODE_KILLED: of this process alone
    bool has_execed = false;            // the accounting flag "forked, not exec'ed" is its opposite
    uint8_t memory_band = FL_BAND_DEFAULT;      // who ends first when there is no memory left (memory_pressure.h)
    bool ended_for_memory = false;      // it was this one
    bool has_terminal = false;          // the session's terminal controls it too: it was there, or came of one who was

    // Guarded by `lock`.
    SpinLock lock{LockRank::Proc, "proc"};
    Ref<Credentials> credentials GUARDED_BY(lock);
    Ref<Limits> limits GUARDED_BY(lock);
    Ref<Vnode> directory GUARDED_BY(lock);
    Ref<Vnode> program GUARDED_BY(lock);

    // Its own locks inside; replaced never, gone when the process exits.
    ZoneOwned<FileTable> files;

    SignalState signals;
    // Written under signals.lock: whoever signals the process finds its threads here.
    ZoneOwned<Task> task;               // none while on loan, and from exit on
    Thread* lent_thread = nullptr;      // the thread that runs as this process while it has no task (vfork)
    Thread* last_thread = nullptr;      // exit or exec in this thread ends all others
    bool exiting = false;               // no signal comes in any more
    unsigned loans = 0;                 // threads of this process that are lent
    Channel threads_changed;            // exit and exec wait here until they are alone

    ZoneOwned<ProcStats> stats;
    ProcSlot slot;
    IntervalTimer interval_timers[FL_ITIMER_COUNT]{{*this, FL_ITIMER_REAL}, {*this, FL_ITIMER_VIRTUAL}, {*this, FL_ITIMER_PROF}};
    CpuLimit cpu_limit{*this};          // RLIMIT_CPU
};

Result<> proc_init();                   // the kernel's own process; after pid_init and the zones of kernel/

// The process that the current thread acts as: the loan's child while the thread is lent.
inline UThread& current_uthread() { return *cpu::current_thread()->uthread; }
inline Proc& current_proc() { return current_uthread().loan.acting_as(); }
Proc& kernel_proc();

// References for use without the lock: the thread's own if it has one, else the process's.
Ref<Credentials> current_credentials();
Ref<Vnode> current_directory();
void set_current_directory(Ref<Vnode> directory);
uint64_t current_limit(ForkloreResource resource);

// Edges of the life above; panics on any other. families_lock is held.
void proc_transition(Proc& proc, ProcState to) REQUIRES(families_lock);

// CPU time, faults, switches of a process so far, dead threads included.
ForkloreUsage proc_usage(Proc& proc);
void usage_add(ForkloreUsage& sum, const ForkloreUsage& part);
