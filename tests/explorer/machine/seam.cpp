// What is short: the console, the end by panic, the MMU. Each call of the MMU is a scheduling point.
#include "base/panic.h"
#include "explorer/engine/engine.h"
#include "explorer/explorer.h"
#include "host/machine/host.h"
#include "kernel/entry/fault_report.h"
#include "kernel/fs/upward.h"
#include "machine/console.h"
#include "machine/cpu.h"
#include "machine/mmu.h"
#include "machine/power.h"

void console::put(std::string_view) {}
void host::record(const MmuCall&) {}        // what devices are told

void panic(const char* message, uint64_t a, uint64_t b) {
    if (a != 0 || b != 0) {
        explorer::fail("panic: %s (%llx, %llx)", message, static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
    }
    explorer::fail("panic: %s", message);
}

void panic_at(const KernelFrame&, const char* message, uint64_t syndrome, uint64_t address) { panic(message, syndrome, address); }
void describe_exception(TextSink, uint64_t, uint64_t) {}
void random_fill(void* output, size_t bytes) { __builtin_memset(output, 4, bytes); }    // the same in each schedule

namespace power {
void off(unsigned status) { explorer::fail("the machine was turned off with status %u", status); }
void restart() { explorer::fail("the machine was started again"); }
void end(bool) { explorer::fail("the machine ended"); }
}  // namespace power

namespace mmu {

void activate(PhysAddr, Asid) { explorer::point("activate an address space"); }
void activate_none() { explorer::point("activate no address space"); }
void invalidate_page(UserAddr, Asid) { explorer::point("invalidate a page"); }
void invalidate_space(Asid) { explorer::point("invalidate an address space"); }
void invalidate_all() { explorer::point("invalidate all"); }
void entries_written() { explorer::point("show entries to all cores"); }
unsigned asid_bits() { return 16; }

}  // namespace mmu

void cpu::instructions_changed(const void*, uint64_t) {}
