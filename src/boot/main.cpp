// From the first C++ in the upper half to the first program: boot order, one call a line.
#include <algorithm>
#include <bit>
#include <span>

#include "boot/address_check.h"
#include "boot/cores.h"
#include "boot/deliberate_fault.h"
#include "boot/joins.h"
#include "boot/light.h"
#include "boot/machine_report.h"
#include "boot/temperature_file.h"
#include "drivers/devices.h"
#include "kernel/boot_arguments.h"
#include "kernel/entry/first_process.h"
#include "kernel/entry/system_calls.h"
#include "kernel/fs/root.h"
#include "kernel/fs/terminal.h"
#include "kernel/greeting.h"
#include "kernel/log.h"
#include "kernel/platform.h"
#include "kernel/proc/fork.h"
#include "kernel/sched.h"
#include "machine/clock.h"
#include "machine/power.h"
#include "machine/rpi3/console.h"
#include "machine/trace.h"

using Constructor = void (*)();
extern "C" const Constructor init_array_start[], init_array_end[];

namespace {

MachineReport machine;

// The linker's array of constructors. Its bounds are numbers here: to the compiler two arrays never meet.
void run_constructors() {
    const auto end = reinterpret_cast<uint64_t>(init_array_end);
    for (auto at = reinterpret_cast<uint64_t>(init_array_start); at != end; at += sizeof(Constructor)) {
        (*reinterpret_cast<const Constructor*>(at))();
    }
}

void read_boot_arguments() {
    constexpr size_t most = 8;
    BootArgumentProblem problems[most];
    size_t count = 0;
    boot_arguments = parse_boot_arguments(machine.arguments(), problems, most, count);
    log_set_quiet(boot_arguments.quiet);
    power::reset_at_end = boot_arguments.reset_at_end;
    for (size_t i = 0; i < count && i < most; ++i) {
        log("boot argument {} {}: ignored", problems[i].word, problems[i].what);
    }
}

void report_machine(unsigned cores) {
    log("Forklore on {}: {} cores, {} MiB of memory", machine.model(), cores,
        (machine.ram.end - machine.ram.start) >> 20);
    if (machine.tree_problem != nullptr) {
        log("device tree: {}; doing without", machine.tree_problem);
    }
    if (machine.memory_problem != nullptr) {
        log("memory: {}; doing without", machine.memory_problem);
    }
    if (machine.initrd_problem != nullptr) {
        log("initrd: {}; doing without", machine.initrd_problem);
    }
}

// True if nothing that has to stay lies from there to the end of RAM.
bool ram_could_end_at(PhysAddr end) {
    bool could = machine.ram.start < end && end <= machine.ram.end;
    for (size_t i = 0; i < machine.reserved_count && could; ++i) {
        could = machine.reserved[i].end <= end || machine.reserved[i].start >= machine.ram.end;
    }
    return could;
}

void limit_memory() {
    const PhysAddr end(uint64_t{boot_arguments.memory_mib} << 20);
    if (boot_arguments.memory_mib == 0) {
        return;
    }
    if (!ram_could_end_at(end)) {
        log("boot argument memory={}: the RAM does not reach so far, or what was loaded lies there: ignored", boot_arguments.memory_mib);
        return;
    }
    machine.ram.end = end;
}

// The trace's rings are the end of RAM, which the page allocator then does not have.
void keep_room_for_trace() {
    const uint64_t capacity = std::bit_ceil(uint64_t{boot_arguments.trace_records});
    const PageCount room = PageCount::covering(trace::bytes_for(capacity));
    const PhysAddr end = machine.ram.end;
    if (room.bytes() > (end - machine.ram.start) / 2 || !ram_could_end_at(end - room.bytes())) {
        log("boot argument trace={}: there is no room for so much; no trace", boot_arguments.trace_records);
        boot_arguments.trace_records = 0;
        return;
    }
    machine.ram.end = end - room.bytes();
}

void start_trace() {
    if (boot_arguments.trace_records != 0) {
        trace::start(ram::at<void>(machine.ram.end), std::bit_ceil(uint64_t{boot_arguments.trace_records}));
        trace_system_calls();
    }
}

// Of RAM's end too; without it only the image and the stacks are looked after.
void start_address_check() {
    const PhysAddr end = machine.ram.end;
    const PhysAddr place((end - address_check::bytes_for(end)).value & ~(address_check::block - 1));
    if (!ram_could_end_at(place)) {
        log("memory: no room to check addresses in it");
        return;
    }
    address_check::start(place, end);
    machine.ram.end = place;
}

void start_memory() {
    ram::junk_everywhere = boot_arguments.check_freed;
    keep_room_for_trace();
    if (layout::sanitized) {
        start_address_check();
    }
    if (!pages::init(machine.ram, machine.reserved, machine.reserved_count).ok()) {
        panic("there is not enough memory for the table of page frames");
    }
    if (layout::sanitized) {
        address_check::forbid_free_frames(machine.ram);
    }
    pages::reclaim = reclaim_memory;
    AddressSpace::init().value();
}

// What the kernel said when it crashed before the reset that led here.
void show_last_crash() {
    constexpr PhysAddr place(CrashLog::physical);
    if (place < machine.ram.start || machine.ram.end < place + CrashLog::bytes) {
        return;
    }
    devices::crash_log.start(ram::at<void>(place));
    std::string_view left = devices::crash_log.left();
    if (!left.empty()) {
        log("the last run crashed:");
    }
    while (!left.empty()) {
        const size_t end = std::min(left.find('\n'), left.size());
        if (end != 0) {
            log("| {}", left.substr(0, end));
        }
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    devices::crash_log.forget();
}

void start_devices() {
    devices::start({.seeded = boot_arguments.seeded, .seed = boot_arguments.seed});
    log_set_output(devices::put_text);
    if (devices::board.revision.word != 0) {
        log("board: revision {x}, serial {x}", devices::board.revision.word, devices::board.serial);
    }
}

void start_processes() {
    if (const uint32_t wanted = boot_arguments.pid_max; wanted == 0 || !pid_init(static_cast<int32_t>(wanted)).ok()) {
        if (wanted != 0) {
            log("boot argument pid_max={} is not between {} and {}: ignored", wanted, smallest_pid_max, largest_pid_max);
        }
        if (!pid_init(largest_pid_max).ok()) {
            panic("there are no process identifiers: pid_init({}) failed", largest_pid_max);
        }
    }
    if (boot_arguments.process_max != 0) {
        process_limit_init(boot_arguments.process_max);
    }
    set_fork_copy_mode(boot_arguments.copy_eagerly ? CopyMode::Eager : CopyMode::CopyOnWrite);
    proc_init().value();
}

void start_files() {
    const auto* start = ram::at<const uint8_t>(machine.initrd.start);
    const RootReport report = file_system_init({.initrd = {start, machine.initrd.end - machine.initrd.start}}).value();
    if (report.problem.what != nullptr) {
        log("initrd: {} at byte {}{}{}; the rest is left out", report.problem.what, report.problem.offset,
            report.problem.name.empty() ? "" : " in ", report.problem.name);
    }
    Ref<Terminal> terminal = Terminal::create(devices::console).value();
    file_system_add_device("/dev/console", *terminal.get()).value();
    file_system_add_device("/dev/tty", *terminal.get()).value();
    make_temperature_file();
    if (machine.initrd.start == machine.initrd.end) {
        log("initrd: none");
    } else {
        log("initrd: {} files, {} KiB", report.entries, (machine.initrd.end - machine.initrd.start) / 1024);
    }
}

void fill_in_platform(unsigned cores) {
    platform.cores = cores;
    platform.revision = devices::board.revision.word;
    platform.serial = devices::board.serial;
    machine.model().copy(platform.board, sizeof platform.board - 1);
    machine.arguments().copy(platform.boot_arguments, sizeof platform.boot_arguments - 1);
}

void report_boot() {
    const pages::Stats memory = pages::stats();
    log("init starts after {} ms; {} KiB of memory in use", machine_clock::now() / 1'000'000,
        (memory.total.value - memory.free.value) * (page_size / 1024));
    if (!boot_arguments.hello.empty()) {
        char text[80];
        if (greet(boot_arguments.hello, text, sizeof text).ok()) {
            log("{}", static_cast<const char*>(text));
        } else {
            log("hello: no greeting could be made");
        }
    }
}

[[noreturn]] void kernel_main(uint64_t device_tree) {
    console::start();                           // words on the serial line
    enter_core(0);                              // locks work from here
    run_constructors();                         // global objects
    machine_clock::start();                     // time passes
    read_machine(device_tree, machine);         // what the loader says
    const unsigned cores = call_cores(machine.spin_table);  // out of the spin table, into sleep
    read_boot_arguments();                      // what the user says
    limit_memory();                             // and how much of the RAM it is about
    report_machine(cores);                      // the first line of the log
    start_memory();                             // page frames, address spaces
    sched_init();                               // this is a thread now
    start_devices();                            // interrupt controller, UARTs, random numbers
    show_last_crash();                          // what memory kept of it
    join_parts();                               // interrupts reach timers and scheduler; the run can end
    cpu::restore_interrupts(true);              // and may come: from here this thread can sleep
    start_processes();                          // pids, the kernel's own process
    start_files();                              // the initrd, /dev
    start_trace();                              // from here each event leaves a record
    fill_in_platform(cores);                    // what programs may ask
    start_timeout(boot_arguments.timeout_seconds);  // a run that hangs ends
    report_boot();                              // the last line of the log
    start_heartbeat();                          // a board's green light, if wanted
    start_first_process();                      // /bin/init
    release_cores();                            // and everybody runs
    if (!boot_arguments.fault.empty()) {
        start_deliberate_fault(boot_arguments.fault);   // how the kernel dies
    }
    sched_enter_core();                         // this thread has done its work
}

[[noreturn]] void secondary_main(unsigned core) {
    enter_core(core);                           // counted; asleep until there is something to run
    wait_for_release();
    join_core();                                // its own interrupt lines
    sched_enter_core();                         // idle
}

}  // namespace

// From head.S: every core, on its boot stack, interrupts off.
extern "C" [[noreturn]] void enter_kernel(uint64_t core, uint64_t device_tree) {
    if (core == 0) {
        kernel_main(device_tree);
    }
    secondary_main(static_cast<unsigned>(core));
}
