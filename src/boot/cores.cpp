// Starting cores from the spin table: a core in it sleeps by WFE, reads its slot with caches off, and jumps to the
// address that it finds there (arm64 boot protocol, "spin-table").
#include "boot/cores.h"

#include <atomic>

#include "boot/early_map.h"
#include "machine/clock.h"
#include "machine/ram.h"
#include "machine/rpi3/local_interrupts.h"

extern "C" void secondary_entry();
extern "C" volatile uint64_t own_spin_table[max_cores];     // head.S

namespace {

Cpu boot_cpus[max_cores];
ThreadBase boot_threads[max_cores];
std::atomic<bool> online[max_cores];
std::atomic<bool> released{false};

// The slot is in RAM that we map cached and the waiting core reads uncached: clean it to the point of coherency.
void write_slot(volatile uint64_t& slot, PhysAddr entry) {
    slot = entry.value;
    asm volatile("dc cvac, %0" ::"r"(&slot) : "memory");
}

}  // namespace

void enter_core(unsigned core) {
    boot_cpus[core].id = core;
    boot_threads[core].cpu = &boot_cpus[core];
    cpu::set_current_thread(reinterpret_cast<Thread*>(&boot_threads[core]));
    // Each core writes its own control word only.
    Register& control = local_interrupts().mailbox_interrupts[core];
    control.write(local::mailbox_fiq(local::stop_mailbox) | local::mailbox_irq(local::call_mailbox));
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

unsigned call_cores(const SpinTable& table) {
    const PhysAddr entry = image_phys_of(reinterpret_cast<const void*>(&secondary_entry));
    for (unsigned core = 1; core < max_cores; ++core) {
        write_slot(*ram::at<volatile uint64_t>(table.slot[core]), entry);
        write_slot(own_spin_table[core], entry);
    }
    asm volatile("dsb sy\n\tsev" ::: "memory");
    unsigned count = 1;
    const Nanoseconds end = machine_clock::now() + nanoseconds_per_second / 10;
    for (unsigned core = 1; core < max_cores; ++core) {
        while (!core_is_online(core) && machine_clock::now() < end) {
            cpu::relax();
        }
        count += core_is_online(core);
    }
    return count;
}

void release_cores() {
    released.store(true, std::memory_order_release);
    for (unsigned core = 1; core < max_cores; ++core) {
        if (core_is_online(core)) {
            cpu::interrupt_other(core);
        }
    }
}

void wait_for_release() {
    // Interrupts are off: the call stays pending, ends WFI, and is taken when the scheduler opens them.
    while (!released.load(std::memory_order_acquire)) {
        cpu::wait_for_interrupt();
    }
}
