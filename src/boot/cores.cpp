// Starting cores from the spin table: a core in it sleeps by WFE, reads its slot with caches off, and jumps to the
// address that it finds there (arm64 boot protocol, "spin-table").
#include "boot/cores.h"

#include <atomic>

#include "boot/early_map.h"
#include "machine/clock.h"
#include "machine/ram.h"
#include "machine/rpi3/local_interrupts.h"

extern "C" {
void secondary_entry();
void parked_entry();
}

namespace {

Cpu boot_cpus[max_cores];
ThreadBase boot_threads[max_cores];
std::atomic<bool> online[max_cores];

// The slot is in RAM that we map cached and the waiting core reads uncached: clean it to the point of coherency.
void write_slot(PhysAddr slot, void (*entry)()) {
    auto* word = ram::at<volatile uint64_t>(slot);
    *word = image_phys_of(reinterpret_cast<const void*>(entry)).value;
    asm volatile("dc cvac, %0\n\tdsb sy\n\tsev" ::"r"(word) : "memory");
}

}  // namespace

void enter_core(unsigned core) {
    boot_cpus[core].id = core;
    boot_threads[core].cpu = &boot_cpus[core];
    cpu::set_current_thread(reinterpret_cast<Thread*>(&boot_threads[core]));
    // Each core writes its own control word only.
    Register& control = local_interrupts().mailbox_interrupts[core];
    control.write(local::mailbox_fiq(local::stop_mailbox));
    asm volatile("dsb sy\n\tmsr daifclr, #1" ::: "memory");
    online[core].store(true, std::memory_order_release);
}

bool is_boot_thread(const ThreadBase& base) { return &base >= boot_threads && &base < boot_threads + max_cores; }

bool core_is_online(unsigned core) { return online[core].load(std::memory_order_acquire); }

SpinTable SpinTable::from(const DeviceTree* tree) {
    SpinTable table;
    for (unsigned core = 0; core < max_cores; ++core) {
        table.slot[core] = PhysAddr(0xd8 + 8 * core);
        if (tree != nullptr) {
            const uint64_t release = tree->release_address(core);
            if (release != 0 && release % 8 == 0 && PhysAddr(release) < ram::extent().end) {
                table.slot[core] = PhysAddr(release);
            }
        }
    }
    return table;
}

bool start_core(unsigned core, const SpinTable& table) {
    write_slot(table.slot[core], secondary_entry);
    const Nanoseconds end = machine_clock::now() + nanoseconds_per_second;
    while (!core_is_online(core)) {
        if (machine_clock::now() > end) {
            return false;
        }
        cpu::relax();
    }
    return true;
}

void park_core(unsigned core, const SpinTable& table) { write_slot(table.slot[core], parked_entry); }
