// The doors: what happens on each way into the kernel, and what is looked at on each way out to a program.
#include "kernel/entry/trap.h"

#include "base/bits.h"
#include "drivers/interrupts.h"
#include "kernel/entry/fault_report.h"
#include "kernel/entry/system_calls.h"
#include "kernel/log.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/memory_pressure.h"
#include "kernel/proc/stop.h"
#include "kernel/sched.h"
#include "machine/trace.h"
#include "machine/user_access.h"

namespace {

// ESR_EL1 (ARM ARM D17.2.37).
struct Syndrome {
    uint64_t word;

    using Class = BitField<uint64_t, 26, 31>;
    using WriteNotRead = BitField<uint64_t, 6>;
    using FaultStatus = BitField<uint64_t, 0, 5>;
    using CacheMaintenance = BitField<uint64_t, 8>;

    enum : uint64_t { unknown = 0x00, fp_access = 0x07, instruction_abort = 0x20, kernel_instruction_abort = 0x21, pc_alignment = 0x22,
                      data_abort = 0x24, kernel_data_abort = 0x25, sp_alignment = 0x26, fp_exception = 0x2c,
                      breakpoint = 0x3c };

    uint64_t kind() const { return Class::get(word); }
    // Level 0 to 3 translation, access flag and permission faults: those that the address space may cure.
    bool memory_fault() const { return FaultStatus::get(word) >= 0x04 && FaultStatus::get(word) <= 0x0f; }
    bool alignment_fault() const { return FaultStatus::get(word) == 0x21; }
    Access access() const {
        if (kind() == instruction_abort || kind() == kernel_instruction_abort) {
            return Access::Execute;
        }
        bool write = WriteNotRead::get(word) != 0 && CacheMaintenance::get(word) == 0;
        return write ? Access::Write : Access::Read;
    }
};

// Does what the thread was asked to do before its program runs on. Interrupts are off at the end.
void do_return_work(UserFrame& frame) {
    Thread& thread = *cpu::current_thread();
    while (thread.return_work.load(std::memory_order_relaxed) != 0) {
        cpu::restore_interrupts(true);
        if (thread.asked(ReturnWork::Terminate)) {
            thread_terminate();
        }
        if (thread.asked(ReturnWork::Reschedule)) {
            reschedule();
        }
        if (thread.asked(ReturnWork::Signal) || thread.asked(ReturnWork::Kill)) {
            deliver_signals(frame);
        }
        if (thread.asked(ReturnWork::Stop)) {
            sleep_while_stopped(current_proc());
        }
        thread.uthread->restarts_call = false;
        cpu::forbid_interrupts();
    }
}

inline bool work_is_asked() { return cpu::current_thread()->return_work.load(std::memory_order_relaxed) != 0; }

// Interrupts are off from here to the exception return, so that work asked for later finds an interrupt pending.
inline void look_at_work(UserFrame& frame) {
    if (work_is_asked()) [[unlikely]] {
        do_return_work(frame);
    }
}

// A fault that the program can not go on from: its signal.
void program_fault(UserFrame& frame, uint64_t syndrome, uint64_t address, int signal) {
    Proc& proc = current_proc();
    TextBuffer<160> what;
    describe_exception(what.sink(), syndrome, address);
    log_of_program("{} ({}): {}, pc {}", proc.inherited.name, proc.pid, what.text(), UserAddr(frame.pc));
    signal_fault(signal, static_cast<int>(Syndrome::Class::get(syndrome)), UserAddr(address));
}

[[gnu::noinline]] int signal_for(Error error) {
    switch (error) {
    case Error::Range:
        return FL_SIGBUS;
    case Error::NoMemory:
        return 0;       // the program tries again, unless it is the one that ends
    default:
        return FL_SIGSEGV;
    }
}

inline void trace_fault(uint64_t place, uint64_t syndrome, uint64_t address) {
    if (trace::on) [[unlikely]] {
        trace::write(TraceKind::Fault, address, syndrome, place);
    }
}

// Without memory a process ends for it, which may be this one.
inline Result<> cure_fault(UserAddr address, Access access) {
    Thread& thread = *cpu::current_thread();
    for (;;) {
        Result<> cured = thread.task->space->handle_fault(address, access);
        if (cured.ok()) [[likely]] {
            thread.minor_faults.add(1);
            return {};
        }
        if (cured.error() != Error::NoMemory || !relieve_memory_pressure(MemoryNeed::Fault)) {
            return cured;
        }
    }
}

// The usual fault: the program's own memory is not there yet. True if it is now.
bool cured(uint64_t word, uint64_t address) {
    const Syndrome syndrome{word};
    if (syndrome.kind() != Syndrome::data_abort || !syndrome.memory_fault()) {
        return false;
    }
    if (!cpu::current_thread()->task->space->handle_fault(UserAddr(address), syndrome.access()).ok()) {
        return false;
    }
    cpu::current_thread()->minor_faults.add(1);
    return true;
}

// 0 if the program can go on.
int signal_of(const Syndrome& syndrome, uint64_t address) {
    switch (syndrome.kind()) {
    case Syndrome::instruction_abort:
    case Syndrome::data_abort:
        if (syndrome.memory_fault()) {
            const Result<> cured = cure_fault(UserAddr(address), syndrome.access());
            return cured.ok() ? 0 : signal_for(cured.error());
        }
        return FL_SIGBUS;
    case Syndrome::pc_alignment:
    case Syndrome::sp_alignment:
        return FL_SIGBUS;
    case Syndrome::fp_access:
        fp_first_use();
        return 0;
    case Syndrome::fp_exception:
        return FL_SIGFPE;
    case Syndrome::breakpoint:
        return FL_SIGTRAP;
    default:
        return FL_SIGILL;
    }
}

// All other faults, and those that could not be cured.
[[gnu::noinline]] void other_user_fault(UserFrame& frame, uint64_t syndrome, uint64_t address) {
    const int signal = signal_of({syndrome}, address);
    if (signal != 0) {
        program_fault(frame, syndrome, address, signal);
    }
}

}  // namespace

void look_at_return_work(UserFrame& frame) {
    cpu::forbid_interrupts();
    look_at_work(frame);
}

void return_to_program(UserFrame& frame) {
    look_at_return_work(frame);
    cpu::enter_user(&frame);
}

void handle_system_call(UserFrame* frame) {
    cpu::restore_interrupts(true);
    Result<uint64_t> result = system_call(frame->x[8])(*frame);
    if (result.ok()) [[likely]] {
        frame->x[0] = result.value();
    } else if (result.error() == Error::Restart) {
        // The call is made again, unless a handler runs in between that does not want it.
        frame->pc -= 4;
        current_uthread().restarts_call = true;
    } else {
        frame->x[0] = static_cast<uint64_t>(-static_cast<int64_t>(result.error()));
    }
    cpu::forbid_interrupts();
    look_at_work(*frame);
}

void handle_user_fault(UserFrame* frame, uint64_t syndrome, uint64_t address) {
    cpu::restore_interrupts(true);
    trace_fault(frame->pc, syndrome, address);
    // The usual way needs the frame no more; the others know where it is.
    if (!cured(syndrome, address)) [[unlikely]] {
        other_user_fault(cpu::current_thread()->user_frame(), syndrome, address);
    }
    cpu::forbid_interrupts();
    if (work_is_asked()) [[unlikely]] {
        do_return_work(cpu::current_thread()->user_frame());
    }
}

void handle_user_interrupt(UserFrame* frame) {
    cpu::current_thread()->user_samples.add(1);
    interrupts::dispatch();
    reschedule();
    look_at_work(*frame);
}

void handle_kernel_interrupt(KernelFrame*) {
    cpu::current_thread()->system_samples.add(1);
    interrupts::dispatch();
    reschedule();       // interrupts were on, so no spin lock is held: the kernel may be preempted here
}

void handle_kernel_fault(KernelFrame* frame, uint64_t word, uint64_t address) {
    Syndrome syndrome{word};
    Thread* thread = cpu::current_thread();
    if (syndrome.kind() == Syndrome::kernel_data_abort && UserAddr(address) < user_end) {
        // A copy to or from the program met a page that is missing, or that the program may not touch.
        if (syndrome.memory_fault() && thread != nullptr && thread->task != nullptr) {
            cpu::restore_interrupts(true);
            trace_fault(frame->pc, word, address);
            const Result<> cured = cure_fault(UserAddr(address), syndrome.access());
            cpu::forbid_interrupts();
            if (cured.ok()) {
                return;
            }
        }
        if (user_access::fixup(frame->pc)) {
            return;
        }
    }
    if (syndrome.kind() == Syndrome::fp_access) {
        fp_first_use();
        return;
    }
    panic_at(*frame, "an exception in the kernel", word, address);
}

void handle_system_error(KernelFrame* frame, uint64_t syndrome) { panic_at(*frame, "the memory system reported an error", syndrome, 0); }

void handle_stack_overflow(KernelFrame* frame, uint64_t syndrome, uint64_t address) {
    panic_at(*frame, "a kernel stack overflowed", syndrome, address);
}
