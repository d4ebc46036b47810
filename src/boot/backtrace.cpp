// The frame-pointer walk.
#include "boot/backtrace.h"

#include "base/bits.h"
#include "boot/symbols.h"
#include "machine/rpi3/layout.h"

extern "C" const char exception_vectors[], exception_vectors_end[], stack_slots[], stack_slots_end[];

namespace {

struct FrameRecord {
    uint64_t caller_frame, return_address;
};

constexpr unsigned most_frames = 40;
constexpr uint64_t stacks_span = 1ull << 30;

uint64_t address_of(const char* symbol) { return reinterpret_cast<uint64_t>(symbol); }

bool in_some_stack(uint64_t frame) {
    const bool thread_stack = frame >= layout::kernel_stacks && frame < layout::kernel_stacks + stacks_span;
    const bool boot_stack = frame >= address_of(stack_slots) && frame < address_of(stack_slots_end);
    return (thread_stack || boot_stack) && frame % 16 == 0 && readable(frame);
}

// An emergency stack leads to the stack that overflowed; all other records are on one stack, outward.
bool may_follow(uint64_t next, uint64_t frame) {
    constexpr uint64_t slot = layout::stack_slot;
    const bool emergency = frame >= address_of(stack_slots) + 4 * slot && frame < address_of(stack_slots_end);
    const bool same_stack = next / slot == frame / slot;
    return same_stack ? next > frame : emergency;
}

bool in_vectors(uint64_t address) {
    return address >= address_of(exception_vectors) && address < address_of(exception_vectors_end);
}

}  // namespace

// AT S1E1R asks the MMU what it thinks of a read (ARM ARM C5.5); PAR_EL1.F says no (D17.2.105).
bool readable(uint64_t address) {
    using Failed = BitField<uint64_t, 0>;
    uint64_t answer;
    asm volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(answer) : "r"(address) : "memory");
    return Failed::get(answer) == 0;
}

void print_place(TextSink sink, uint64_t address, bool return_address) {
    // A return address may already belong to the next function; the call is just before it.
    const SymbolPlace place = find_symbol(return_address ? address - 4 : address);
    if (place.function == nullptr) {
        format_to(sink, "{}", KernAddr(address));
        return;
    }
    format_to(sink, "{}+{}", place.function, KernAddr(place.offset + (return_address ? 4 : 0)));
    if (place.file != nullptr) {
        format_to(sink, "  {}:{}", place.file, place.line);
    }
}

void print_backtrace(TextSink sink, uint64_t pc, uint64_t frame) {
    unsigned number = 0;
    const auto print_frame = [&](uint64_t address, bool return_address) {
        format_to(sink, "  #{} ", number++);
        print_place(sink, address, return_address);
        format_to(sink, "\n");
    };
    if (pc != 0) {
        print_frame(pc, false);
    }
    bool exact = false;
    while (frame != 0) {
        if (number == most_frames || !in_some_stack(frame)) {
            format_to(sink, "  ... the frame record at {} {}\n", KernAddr(frame),
                      number == most_frames ? "is one of many more" : "is in no stack");
            return;
        }
        const auto record = *reinterpret_cast<const FrameRecord*>(frame);
        if (record.return_address != 0) {
            print_frame(record.return_address, !exact);
        }
        if (record.caller_frame != 0 && !may_follow(record.caller_frame, frame)) {
            format_to(sink, "  ... the frame record at {} leads astray, to {}\n", KernAddr(frame),
                      KernAddr(record.caller_frame));
            return;
        }
        // The record that a vector pushed holds the interrupted instruction itself.
        exact = in_vectors(record.return_address);
        frame = record.caller_frame;
    }
}
