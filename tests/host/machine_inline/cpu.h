// The host's half of machine/cpu.h: a std::thread is a core, interrupts are a flag of it.
#pragma once

#include "machine/cpu.h"

namespace host {

// Set when a std::thread first asks: it becomes a core with a Thread of its own (tests/host/machine/cores.cpp).
inline constinit thread_local ThreadBase* current = nullptr;
inline constinit thread_local bool interrupts = true;
inline constinit thread_local uint64_t thread_pointer = 0;
ThreadBase& become_a_core();
void yield_core();

}  // namespace host

namespace cpu {

inline bool disable_interrupts() {
    bool were_on = host::interrupts;
    host::interrupts = false;
    return were_on;
}
inline void forbid_interrupts() { host::interrupts = false; }
inline void restore_interrupts(bool were_on) { host::interrupts = were_on; }
inline bool interrupts_on() { return host::interrupts; }

inline uint64_t user_thread_pointer() { return host::thread_pointer; }
inline void set_user_thread_pointer(uint64_t value) { host::thread_pointer = value; }

inline void relax() { host::yield_core(); }
inline ThreadBase& current_base() { return host::current != nullptr ? *host::current : host::become_a_core(); }
inline Thread* current_thread() { return reinterpret_cast<Thread*>(&current_base()); }

}  // namespace cpu
