// Each kind of end that boot/panic.cpp must report; tests/system reads the reports.
#include "boot/deliberate_fault.h"

#include "base/panic.h"
#include "kernel/log.h"
#include "kernel/sched.h"
#include "machine/clock.h"
#include "machine/spin_lock.h"
#include "mm/page.h"
#include "mm/zone.h"

extern "C" const char image_start[];

namespace {

SpinLock low{LockRank::Pids, "low"}, high{LockRank::Zone, "high"};
std::atomic<bool> taken{false}, together{false};

// Another core takes a lock and keeps it for ever.
void keep_lock(void*) {
    SpinGuard guard(high);
    taken.store(true);
    for (;;) {
        cpu::relax();
    }
}

void let_another_core_keep_lock(void (*keep)(void*) = keep_lock) {
    kernel_thread_start("keeper", keep, nullptr).value();
    while (!taken.load()) {
        yield();
    }
}

void fault_panic() { panic("on purpose", 0x11, 0x22); }

void fault_locks() {
    let_another_core_keep_lock();
    SpinGuard guard(low);
    panic("on purpose, while locks are held");
}

void panic_too(void*) {
    (void)cpu::disable_interrupts();
    taken.store(true);
    while (!together.load()) {
        cpu::relax();
    }
    panic("on purpose, the other of two");
}

void fault_twice() {
    kernel_thread_start("other", panic_too, nullptr).value();
    while (!taken.load()) {
        yield();
    }
    together.store(true);
    panic("on purpose, one of two");
}

// The report prints the names of held locks; this one's can not be read.
void fault_nested() {
    static SpinLock nameless{LockRank::Log, reinterpret_cast<const char*>(0xffff'ff00'0000'0000)};
    SpinGuard guard(nameless);
    panic("on purpose, with more to come");
}

void fault_read() { (void)*reinterpret_cast<volatile uint64_t*>(0xffff'ffd0'0000'0008); }

// Through a number: the compiler would refuse to write to a constant.
void fault_text() { *reinterpret_cast<volatile uint32_t*>(reinterpret_cast<uint64_t>(image_start)) = 0; }

void fault_execute() {
    alignas(16) static uint32_t code[] = {0xd65f03c0};      // RET
    reinterpret_cast<void (*)()>(code)();
}

void fault_undefined() { asm volatile("udf #0"); }

// Each call needs the result of the next, and a piece of stack; there is an end, but no stack reaches it.
[[gnu::noinline]] uint64_t descend(uint64_t depth) {
    volatile uint64_t piece[32];
    piece[depth % 32] = depth;
    return depth == 0 ? 0 : descend(depth - 1) + piece[depth % 32];
}
void fault_stack() { (void)descend(1'000'000); }

void fault_order() {
    SpinGuard inner(high);
    SpinGuard outer(low);
}

void fault_deadlock() {
    let_another_core_keep_lock();
    SpinGuard guard(high);
}

// Long, but not for ever: nobody may call it a deadlock.
void keep_lock_long(void*) {
    SpinGuard guard(high);
    taken.store(true);
    const Nanoseconds end = machine_clock::now() + 8 * nanoseconds_per_second;
    while (machine_clock::now() < end) {
        cpu::relax();
    }
}

void fault_wait() {
    let_another_core_keep_lock(keep_lock_long);
    SpinGuard guard(high);
}

Mutex kept{LockRank::Terminal, "kept"};

void keep_mutex(void*) {
    MutexGuard guard(kept);
    taken.store(true);
    (void)sleep_until(never, false);
}

void fault_mutex() {
    let_another_core_keep_lock(keep_mutex);
    MutexGuard guard(kept);
}

// Somebody keeps a pointer to what was freed; the next one to have the element would suffer for it.
void fault_freed() {
    Zone& zone = zone_create({.name = "abused", .element_size = 128}).value();
    auto* element = static_cast<volatile uint64_t*>(zalloc(zone).value());
    zfree(zone, const_cast<uint64_t*>(element));
    element[9] = 0;
    zfree(zone, zalloc(zone).value());
}

// --- what only a kernel built with SAN=1 notices ---

void fault_overflow() {
    volatile int32_t largest = INT32_MAX;
    largest = largest + 1;
}

volatile uint8_t four[4];

void fault_index() {
    volatile unsigned index = 4;
    (void)four[index];
}

// The compiler forgets what the pointer points to, and with it how large that is.
volatile uint8_t* unknown(volatile uint8_t* pointer) {
    asm volatile("" : "+r"(pointer)::"memory");
    return pointer;
}

void fault_global() { unknown(four)[5] = 0; }

void fault_array() {
    volatile uint8_t seven[7];
    unknown(seven)[7] = 0;
}

void fault_frame() {
    const PhysAddr page = pages::allocate(PageUse::Kernel).value();
    pages::release(page);
    (void)unknown(ram::at<volatile uint8_t>(page))[100];
}

// By code that is written in assembly.
void fault_copy() {
    Zone& zone = zone_create({.name = "copied", .element_size = 32}).value();
    void* element = zalloc(zone).value();
    volatile size_t bytes = 24;
    uint8_t copy[24];
    zfree(zone, element);
    __builtin_memcpy(copy, element, bytes);
    (void)unknown(copy);
}

struct Kind {
    std::string_view name;
    void (*fault)();
};
constexpr Kind kinds[] = {
    {"panic", fault_panic},     {"locks", fault_locks},         {"twice", fault_twice}, {"nested", fault_nested},
    {"read", fault_read},       {"text", fault_text},           {"execute", fault_execute}, {"undefined", fault_undefined},
    {"stack", fault_stack},     {"order", fault_order},         {"deadlock", fault_deadlock}, {"wait", fault_wait},
    {"freed", fault_freed},     {"overflow", fault_overflow},   {"index", fault_index}, {"global", fault_global},
    {"array", fault_array},     {"frame", fault_frame},         {"copy", fault_copy},
    {"mutex", fault_mutex},
};

void commit_fault(void* kind) {
    static_cast<const Kind*>(kind)->fault();
    panic("the fault on purpose did no harm");
}

}  // namespace

void start_deliberate_fault(std::string_view name) {
    for (const Kind& kind : kinds) {
        if (kind.name == name) {
            kernel_thread_start("culprit", commit_fault, const_cast<Kind*>(&kind)).value();
            return;
        }
    }
    log("boot argument fault={}: no such fault, ignored", name);
}
