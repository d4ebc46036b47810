// The end of the run after an invariant broke: who, where, why, on every core; then the verdict.
//
// Trusts nothing: no lock is taken, output is polled, waiting is bounded. The other cores are stopped by a FIQ, which
// reaches them also where they keep interrupts off. The first core to panic speaks; one that panics meanwhile answers
// like a stopped one, with its own message.
#include "base/panic.h"

#include <atomic>

#include "boot/backtrace.h"
#include "boot/cores.h"
#include "boot/light.h"
#include "boot/silence.h"
#include "drivers/devices.h"
#include "kernel/entry/fault_report.h"
#include "kernel/thread.h"
#include "machine/clock.h"
#include "machine/console.h"
#include "machine/power.h"
#include "machine/rpi3/local_interrupts.h"

namespace {

constexpr unsigned nobody = ~0u;
constexpr unsigned most_locks = 8;      // of a list that may be broken

// What one core has to say.
struct Story {
    const char* message = nullptr;      // nullptr: it was stopped by the one that panicked
    uint64_t a = 0, b = 0;              // two numbers worth seeing
    const KernelFrame* frame = nullptr; // of the exception, if it was one
    uint64_t syndrome = 0, address = 0;
    uint64_t backtrace = 0;             // the frame record to begin with
    uint64_t place = 0;                 // return address: who called panic()
};

std::atomic<unsigned> speaker{nobody};      // the core that panicked first
std::atomic<bool> silence{false};           // the run ends in peace: a stopped core says nothing
std::atomic<unsigned> turn{nobody};         // the stopped core that may print now
std::atomic<bool> stopped[max_cores];
std::atomic<bool> reported[max_cores];

void put_text(void*, std::string_view text) {
    console::put(text);
    devices::crash_log.add(text);
}
constexpr TextSink out{put_text, nullptr};

unsigned this_core() {
    uint64_t mpidr;
    asm("mrs %0, mpidr_el1" : "=r"(mpidr));
    return static_cast<unsigned>(mpidr % max_cores);
}

// Polls until the flag is set or the time is over.
bool wait_for(const std::atomic<bool>& flag, uint64_t milliseconds) {
    const uint64_t end = machine_clock::ticks() + machine_clock::ticks_per_second() / 1000 * milliseconds;
    while (!flag.load(std::memory_order_acquire)) {
        if (machine_clock::ticks() >= end) {
            return false;
        }
        cpu::relax();
    }
    return true;
}

void print_registers(const KernelFrame& frame) {
    for (unsigned i = 0; i < 31; ++i) {
        TextBuffer<8> name;
        name.add("x{}", i);
        format_to(out, "  {-3} {-18}{}", name.text(), TextBuffer<24>().add("{}", KernAddr(frame.x[i])).text(),
                  i % 4 == 3 ? "\n" : " ");
    }
    format_to(out, "\n  sp {}  pc {}  pstate {}\n", KernAddr(frame.sp), KernAddr(frame.pc), KernAddr(frame.pstate));
    // The caller of a function without a frame of its own is in no frame record, and who jumped to nowhere neither.
    format_to(out, "  x30 is ");
    print_place(out, frame.x[30], true);
    format_to(out, "\n");
}

void print_locks(const ThreadBase* base) {
    if (base == nullptr || !readable(reinterpret_cast<uint64_t>(base)) ||
        !readable(reinterpret_cast<uint64_t>(base->cpu))) {
        format_to(out, "  held locks: not known\n");
        return;
    }
    const SpinLock* lock = base->cpu->held.innermost;
    if (lock == nullptr) {
        return;
    }
    format_to(out, "  held locks:");
    for (unsigned shown = 0; lock != nullptr && shown < most_locks; ++shown, lock = lock->outer()) {
        format_to(out, shown == 0 ? " " : " inside ");
        if (!readable(reinterpret_cast<uint64_t>(lock))) {
            format_to(out, "(wild)");
            break;
        }
        format_to(out, "\"{}\"", lock->name());
    }
    format_to(out, "\n");
}

void print_thread(const ThreadBase* base) {
    if (base == nullptr || !readable(reinterpret_cast<uint64_t>(base))) {
        format_to(out, "no thread");
    } else if (is_boot_thread(*base)) {
        format_to(out, "booting");
    } else {
        const auto& thread = static_cast<const Thread&>(*base);
        format_to(out, "thread {} ({})", thread.tid, std::string_view(thread.name));
    }
}

void print_story(const Story& story) {
    const ThreadBase* base = &cpu::current_base();
    format_to(out, "{} core {}, ", story.message != nullptr ? "panic:" : "stopped:", this_core());
    print_thread(base);
    if (story.message != nullptr) {
        format_to(out, ": {}", story.message);
        if (story.a != 0 || story.b != 0) {
            format_to(out, " ({}, {})", KernAddr(story.a), KernAddr(story.b));
        }
    }
    format_to(out, "\n");
    if (story.place != 0) {
        format_to(out, "  at ");
        print_place(out, story.place, true);
        format_to(out, "\n");
    }
    if (story.message != nullptr && story.frame != nullptr) {
        format_to(out, "  ");
        describe_exception(out, story.syndrome, story.address);
        format_to(out, "\n");
        print_registers(*story.frame);
    }
    print_backtrace(out, story.frame != nullptr ? story.frame->pc : 0, story.backtrace);
    print_locks(base);
}

// WFI sleeps only while nothing is pending, so this core's sources go off; YIELD gives an emulator's other cores their
// turn if something is pending all the same.
[[noreturn]] void halt_core() {
    asm volatile("msr daifset, #15" ::: "memory");
    local_interrupts().mailbox_interrupts[this_core()].write(0);
    local_interrupts().core_timer_interrupts[this_core()].write(0);
    for (;;) {
        asm volatile("dsb sy\n\twfi\n\tyield" ::: "memory");
    }
}

// A stopped core: answers, waits for its turn, tells, ends.
[[noreturn]] void answer(const Story& story) {
    const unsigned core = this_core();
    stopped[core].store(true, std::memory_order_release);
    if (silence.load(std::memory_order_acquire)) {
        halt_core();
    }
    while (turn.load(std::memory_order_acquire) != core) {
        cpu::relax();
    }
    print_story(story);
    reported[core].store(true, std::memory_order_release);
    halt_core();
}

void stop_others(unsigned self) {
    auto& registers = local_interrupts();
    for (unsigned core = 0; core < max_cores; ++core) {
        if (core != self && core_is_online(core)) {
            registers.mailbox_set[core].mailbox[local::stop_mailbox].write(1);
        }
    }
    asm volatile("dsb sy" ::: "memory");
}

void hear_others(unsigned self) {
    for (unsigned core = 0; core < max_cores; ++core) {
        if (core == self || !core_is_online(core)) {
            continue;
        }
        if (!wait_for(stopped[core], 200)) {
            format_to(out, "core {} does not answer: it keeps even FIQs off, or is lost\n", core);
            continue;
        }
        turn.store(core, std::memory_order_release);
        if (!wait_for(reported[core], 5000)) {
            format_to(out, "\ncore {} did not finish its report\n", core);
        }
    }
}

[[noreturn]] void end_of_run() {
    devices::crash_log.keep();
    console::put("forklore: panic, status 255\n");
    power::end(false);
}

[[noreturn]] void die(const Story& story) {
    asm volatile("msr daifset, #15" ::: "memory");
    const unsigned self = this_core();
    unsigned expected = nobody;
    if (!speaker.compare_exchange_strong(expected, self)) {
        if (expected == self) {
            format_to(out, "\npanic within the report of a panic: {}\n", story.message);
            end_of_run();
        }
        answer(story);
    }
    stop_others(self);
    devices::console.flush_polled_in_panic();
    console::put("\n");
    print_story(story);
    devices::crash_log.keep();      // should a stopped core's story not come to its end
    hear_others(self);
    devices::crash_log.keep();
    blink_code(story.frame != nullptr ? flashes_of_exception : flashes_of_panic);
    end_of_run();
}

// A frame record whose values this frame's code had in x29.
uint64_t frame_record_of(const KernelFrame& frame) { return frame.x[29]; }

}  // namespace

void panic(const char* message, uint64_t a, uint64_t b) {
    die({.message = message,
         .a = a,
         .b = b,
         .backtrace = reinterpret_cast<uint64_t>(__builtin_frame_address(0)),
         .place = reinterpret_cast<uint64_t>(__builtin_return_address(0))});
}

void panic_at(const KernelFrame& frame, const char* message, uint64_t syndrome, uint64_t address) {
    die({.message = message,
         .frame = &frame,
         .syndrome = syndrome,
         .address = address,
         .backtrace = frame_record_of(frame)});
}

void silence_others() {
    const unsigned self = this_core();
    silence.store(true, std::memory_order_release);
    stop_others(self);
    for (unsigned core = 0; core < max_cores; ++core) {
        if (core != self && core_is_online(core)) {
            (void)wait_for(stopped[core], 20);
        }
    }
}

extern "C" {

// The FIQ by which a panicking core stops the others.
void handle_stop_request(const KernelFrame* frame) {
    asm volatile("msr daifset, #15" ::: "memory");
    if (speaker.load(std::memory_order_acquire) == nobody && !silence.load(std::memory_order_acquire)) {
        auto& mailbox = local_interrupts().mailbox_clear[this_core()].mailbox[local::stop_mailbox];
        mailbox.write(mailbox.read());
        return;     // a FIQ that nobody meant; quiet now
    }
    const bool from_user = (frame->pstate & 0xf) == 0;
    answer({.frame = frame, .backtrace = from_user ? 0 : frame_record_of(*frame)});
}

void handle_unexpected(const KernelFrame* frame, uint64_t syndrome, uint64_t address, uint64_t vector) {
    static constexpr const char* messages[] = {
        "synchronous exception on SP_EL0", "IRQ on SP_EL0", "FIQ on SP_EL0", "SError on SP_EL0",
        "synchronous exception of an AArch32 program", "IRQ in an AArch32 program", "FIQ in an AArch32 program",
        "SError in an AArch32 program",
    };
    panic_at(*frame, messages[vector % 8], syndrome, address);
}

}
