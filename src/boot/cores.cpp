// Starting cores from the spin table (drivers/spin_table.h), and counting them.
#include "boot/cores.h"

#include <atomic>

#include "boot/early_map.h"
#include "machine/clock.h"
#include "machine/rpi3/local_interrupts.h"

extern "C" void secondary_entry();
extern "C" volatile uint64_t own_spin_table[max_cores];     // head.S

namespace {

Cpu boot_cpus[max_cores];
ThreadBase boot_threads[max_cores];
std::atomic<bool> online[max_cores];
std::atomic<bool> released{false};

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

unsigned call_cores(const SpinTable& table) {
    table.call(own_spin_table, image_phys_of(reinterpret_cast<const void*>(&secondary_entry)));
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
