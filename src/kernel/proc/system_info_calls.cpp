// What programs may know of the machine and of all processes; and its end.
#include "abi/forklore.h"
#include "kernel/fs/terminal.h"
#include "kernel/fs/upward.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/memory_pressure.h"
#include "kernel/proc/spawn.h"
#include "kernel/sched.h"
#include "kernel/stack.h"
#include "kernel/time_values.h"
#include "machine/clock.h"
#include "machine/power.h"
#include "mm/user_copy.h"

namespace {

// Copies text into a fixed field of a struct for programs, cut and NUL-terminated.
template <size_t Size>
void fill(char (&field)[Size], std::string_view text) {
    size_t length = text.size() < Size - 1 ? text.size() : Size - 1;
    memcpy(field, text.data(), length);
    memset(field + length, 0, Size - length);
}

}  // namespace

Result<uint64_t> sys_getrandom(UserFrame& frame) {
    UserAddr to(frame.x[0]);
    uint64_t bytes = frame.x[1];
    char piece[256];
    constexpr uint64_t most = 1 << 20;      // one call does not hold the core for ever
    bytes = bytes < most ? bytes : most;
    for (uint64_t done = 0; done < bytes; done += sizeof piece) {
        size_t part = bytes - done < sizeof piece ? bytes - done : sizeof piece;
        random_fill(piece, part);
        TRY(copy_out(to + done, piece, part));
    }
    return bytes;
}

Result<uint64_t> sys_uname(UserFrame& frame) {
    ForkloreUname name{};
    fill(name.system, "Forklore");
    fill(name.node, "forklore");
    fill(name.release, "0.1");
    fill(name.version, "teaching kernel, C++20");
    fill(name.machine, "aarch64");
    TRY(copy_out_value(UserAddr(frame.x[0]), name));
    return 0;
}

namespace {

void count_pages(const pages::Stats& memory, ForkloreSysinfo& info) {
    const auto used = [&](PageUse use) { return memory.by_use[static_cast<size_t>(use)].value; };
    info.pages_total = memory.total.value;
    info.pages_free = memory.free.value;
    info.pages_kernel = memory.total.value - memory.free.value - used(PageUse::Anonymous);
    info.pages_peak = memory.peak.value;
    info.pages_anonymous = used(PageUse::Anonymous);
    info.pages_tables = used(PageUse::PageTable);
    info.pages_files = used(PageUse::File);
    const uint64_t waiting = stack_stats().waiting * (kernel_stack_size / page_size);
    info.pages_buffers = used(PageUse::Kernel) > waiting ? used(PageUse::Kernel) - waiting : 0;
}

}  // namespace

Result<uint64_t> sys_sysinfo(UserFrame& frame) {
    ForkloreSysinfo info{};
    SchedStats sched = sched_stats();
    info.uptime_ns = machine_clock::now();
    info.idle_ns = sched.idle;
    count_pages(pages::stats(), info);
    info.page_size = page_size;
    info.processes = process_slots_taken();
    info.processes_max = process_maximum();
    info.threads = sched.threads;
    info.pid_max = static_cast<uint64_t>(pid_maximum());
    info.cores = platform.cores;
    for (unsigned i = 0; i < 3; ++i) {
        info.load[i] = sched.load[i];
    }
    info.forks = forks_ever() + spawns_ever();
    info.context_switches = sched.context_switches;
    info.interrupts = sched.interrupts;
    info.board_revision = platform.revision;
    info.board_serial = platform.serial;
    fill(info.board, platform.board);
    fill(info.boot_arguments, platform.boot_arguments);
    TRY(copy_out_value(UserAddr(frame.x[0]), info));
    return 0;
}

namespace {

// The state that ps shows, from the threads' states.
int32_t shown_state(Proc& proc, ForkloreProcInfo& info) REQUIRES(proc.signals.lock) {
    if (proc.lent_thread != nullptr) {
        info.threads = 1;
        info.core = static_cast<int32_t>(proc.lent_thread->cpu != nullptr ? proc.lent_thread->cpu->id : 0);
        return FL_PROC_LENT;
    }
    int32_t state = FL_PROC_SLEEPING;
    if (Task* task = proc.task.get()) {
        SpinGuard guard(task->lock);
        for (Thread& thread : task->threads) {
            ++info.threads;
            ThreadState now = thread.state.load(std::memory_order_relaxed);
            if (now == ThreadState::Running || now == ThreadState::Ready) {
                state = FL_PROC_RUNNING;
            }
            info.core = static_cast<int32_t>(thread.cpu != nullptr ? thread.cpu->id : 0);
        }
    }
    return state;
}

ForkloreProcInfo describe_locked(Proc& proc) REQUIRES(families_lock) {
    ForkloreProcInfo info{};
    info.pid = number(proc.pid);
    info.parent = proc.parent != nullptr ? number(proc.parent->pid) : 0;
    info.group = proc.group != nullptr ? number(proc.group->id) : 0;
    info.session = proc.group != nullptr ? number(proc.group->session->id) : 0;
    if (proc.group != nullptr) {
        Terminal* terminal = proc.group->session->terminal;
        info.foreground = terminal != nullptr && terminal->foreground_group() == proc.group->id;
    }
    info.nice = proc.inherited.nice;
    if (const Coalition* coalition = proc.inherited.coalition.get()) {
        info.coalition = coalition->number;
    }
    info.unique_id = proc.unique_id;
    info.start_ns = proc.stats->start;
    ForkloreUsage usage = proc_usage(proc);
    info.user_ns = nanoseconds_of(usage.user);
    info.system_ns = nanoseconds_of(usage.system);
    {
        SpinGuard guard(proc.lock);
        info.uid = static_cast<int32_t>(proc.credentials->real_uid);
        fill(info.name, proc.inherited.name);
    }
    SpinGuard guard(proc.signals.lock);
    info.state = shown_state(proc, info);
    info.band = proc.memory_band;
    info.loans = static_cast<int32_t>(proc.loans);
    if (proc.state == ProcState::Zombie) {
        info.state = FL_PROC_ZOMBIE;
    } else if (proc.state == ProcState::Stopped) {
        info.state = FL_PROC_STOPPED;
    }
    info.resident_pages = resident_pages_locked(proc).value;
    return info;
}

}  // namespace

// All processes, as far as they fit. The list is copied out in pieces, so the table may change between two of them: each piece
// starts behind the last unique id that was told. Who is there all the time is told once.
Result<uint64_t> sys_proc_list(UserFrame& frame) {
    UserAddr to(frame.x[0]);
    uint64_t count = frame.x[1];
    constexpr unsigned piece = 8;
    ForkloreProcInfo infos[piece];
    uint64_t told = 0;
    uint64_t last_unique_id = 0;
    for (bool more = true; more && told < count;) {
        unsigned filled = 0;
        more = false;
        {
            SpinGuard guard(families_lock);
            for (Proc& proc : all_processes()) {
                if (proc.unique_id <= last_unique_id) {
                    continue;
                }
                if (filled == piece || told + filled == count) {
                    more = true;
                    break;
                }
                infos[filled++] = describe_locked(proc);
            }
        }
        TRY(copy_out(to + told * sizeof infos[0], infos, filled * sizeof infos[0]));
        told += filled;
        if (filled != 0) {
            last_unique_id = infos[filled - 1].unique_id;
        }
    }
    SpinGuard guard(families_lock);
    return process_count_locked();
}

Result<uint64_t> sys_zone_list(UserFrame& frame) {
    UserAddr to(frame.x[0]);
    uint64_t count = frame.x[1];
    uint64_t seen = 0;
    for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone), ++seen) {
        if (seen >= count) {
            continue;
        }
        ZoneStats stats = zone_stats(*zone);
        ForkloreZoneInfo info{};
        fill(info.name, stats.name);
        info.element_size = stats.element_size;
        info.live = stats.live;
        info.peak = stats.peak;
        info.free = stats.free;
        info.pages = stats.pages;
        info.limit = stats.limit;
        info.allocations = stats.allocations;
        info.cache_hits = stats.cache_hits;
        info.lock_acquisitions = stats.lock_acquisitions;
        TRY(copy_out_value(to + seen * sizeof info, info));
    }
    return seen;
}

Result<uint64_t> sys_reboot(UserFrame& frame) {
    if (!current_credentials()->is_root()) {
        return Error::NotPermitted;
    }
    if (frame.x[0] == FL_REBOOT_POWEROFF) {
        power::off(static_cast<unsigned>(frame.x[1]) & 0xff);
    }
    if (frame.x[0] == FL_REBOOT_RESTART) {
        power::restart();
    }
    return Error::Invalid;
}

Result<uint64_t> sys_klog(UserFrame& frame) {
    UserAddr to(frame.x[0]);
    uint64_t bytes = frame.x[1];
    if (!current_credentials()->is_root()) {
        return Error::NotPermitted;
    }
    PageRef page = TRY(PageRef::allocate(PageUse::Kernel));
    char* text = ram::at<char>(page.address());
    size_t length = log_read(text, bytes < page_size ? bytes : page_size);
    TRY(copy_out(to, text, length));
    return length;
}
