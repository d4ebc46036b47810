// Exception classes and fault status codes in words (ARM ARM D17.2.37, ESR_EL1).
#include "base/bits.h"
#include "kernel/entry/fault_report.h"

namespace {

namespace esr {
using Class = BitField<uint64_t, 26, 31>;
using Iss = BitField<uint64_t, 0, 24>;
using Status = BitField<uint64_t, 0, 5>;            // of aborts: IFSC, DFSC
using Level = BitField<uint64_t, 0, 1>;
using Write = BitField<uint64_t, 6>;
using CacheMaintenance = BitField<uint64_t, 8>;
using AddressUnknown = BitField<uint64_t, 10>;      // FnV
using Comment = BitField<uint64_t, 0, 15>;          // of SVC and BRK
// Of a trapped MSR, MRS or system instruction.
using Op0 = BitField<uint64_t, 20, 21>;
using Op2 = BitField<uint64_t, 17, 19>;
using Op1 = BitField<uint64_t, 14, 16>;
using CRn = BitField<uint64_t, 10, 13>;
using CRm = BitField<uint64_t, 1, 4>;
}  // namespace esr

constexpr uint64_t instruction_abort_user = 0x20, instruction_abort = 0x21, pc_alignment = 0x22;
constexpr uint64_t data_abort_user = 0x24, data_abort = 0x25;
constexpr uint64_t system_instruction = 0x18, supervisor_call = 0x15, breakpoint_instruction = 0x3c;
constexpr uint64_t watchpoint_user = 0x34, watchpoint = 0x35;

const char* class_text(uint64_t exception_class) {
    switch (exception_class) {
    case 0x00: return "undefined instruction";
    case 0x01: return "trapped WFI or WFE";
    case 0x03: case 0x04: return "trapped AArch32 access to CP15";
    case 0x05: case 0x06: case 0x0c: return "trapped AArch32 access to CP14";
    case 0x07: return "floating point or SIMD while they are off";
    case 0x0a: return "trapped 64-byte load or store";
    case 0x0d: return "branch to something that is no branch target";
    case 0x0e: return "illegal execution state";
    case 0x11: return "AArch32 supervisor call";
    case supervisor_call: return "supervisor call";
    case system_instruction: return "trapped system register or instruction";
    case 0x19: return "SVE while it is off";
    case 0x1c: return "pointer authentication failed";
    case instruction_abort_user: return "instruction abort of a program";
    case instruction_abort: return "instruction abort of the kernel";
    case pc_alignment: return "program counter not aligned";
    case data_abort_user: return "data abort of a program";
    case data_abort: return "data abort of the kernel";
    case 0x26: return "stack pointer not aligned";
    case 0x28: case 0x2c: return "floating-point exception";
    case 0x2f: return "system error (SError)";
    case 0x30: case 0x31: return "hardware breakpoint";
    case 0x32: case 0x33: return "single step";
    case watchpoint_user: case watchpoint: return "watchpoint";
    case 0x38: return "AArch32 BKPT instruction";
    case 0x3a: return "AArch32 vector catch";
    case breakpoint_instruction: return "BRK instruction";
    default: return "exception of a class that the manual reserves";
    }
}

// The code without its level; `has_level` says whether the low two bits are one.
const char* status_text(uint64_t status, bool& has_level) {
    has_level = status < 0x10 || (status >= 0x14 && status < 0x18) || (status >= 0x1c && status < 0x20);
    switch (status >> 2) {
    case 0x0: return "address size fault";
    case 0x1: return "translation fault";
    case 0x2: return "access flag fault";
    case 0x3: return "permission fault";
    case 0x5: return "external abort on a table walk";
    case 0x7: return "parity error on a table walk";
    default: break;
    }
    switch (status) {
    case 0x10: return "external abort";
    case 0x11: return "tag check fault";
    case 0x18: return "parity or ECC error";
    case 0x21: return "alignment fault";
    case 0x30: return "TLB conflict";
    case 0x31: return "unsupported atomic update of a descriptor";
    case 0x34: return "lockdown fault";
    case 0x35: return "unsupported exclusive or atomic access";
    case 0x3d: return "section domain fault";
    case 0x3e: return "page domain fault";
    default: return "fault with a status that the manual reserves";
    }
}

void describe_abort(TextSink sink, uint64_t syndrome, uint64_t address, bool data) {
    const char* verb = !data                                         ? "execution"
                       : esr::CacheMaintenance::get(syndrome) != 0 ? "cache maintenance"
                       : esr::Write::get(syndrome) != 0            ? "write"
                                                                   : "read";
    if (esr::AddressUnknown::get(syndrome) != 0) {
        format_to(sink, ": {} at an unknown address", verb);
    } else {
        format_to(sink, ": {} at {}", verb, KernAddr(address));
    }
    bool has_level = false;
    format_to(sink, ", {}", status_text(esr::Status::get(syndrome), has_level));
    if (has_level) {
        format_to(sink, " at level {}", esr::Level::get(syndrome));
    }
}

}  // namespace

void describe_exception(TextSink sink, uint64_t syndrome, uint64_t address) {
    const uint64_t exception_class = esr::Class::get(syndrome);
    format_to(sink, "{}", class_text(exception_class));
    switch (exception_class) {
    case instruction_abort_user:
    case instruction_abort:
        describe_abort(sink, syndrome, address, false);
        break;
    case data_abort_user:
    case data_abort:
        describe_abort(sink, syndrome, address, true);
        break;
    case pc_alignment:
    case watchpoint_user:
    case watchpoint:
        format_to(sink, " at {}", KernAddr(address));
        break;
    case system_instruction:
        format_to(sink, " S{}_{}_C{}_C{}_{}", esr::Op0::get(syndrome), esr::Op1::get(syndrome), esr::CRn::get(syndrome),
                  esr::CRm::get(syndrome), esr::Op2::get(syndrome));
        break;
    case supervisor_call:
    case breakpoint_instruction:
        format_to(sink, " #{}", esr::Comment::get(syndrome));
        break;
    default:
        break;
    }
    format_to(sink, " (ESR {})", KernAddr(syndrome));
}
