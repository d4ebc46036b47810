// The explorer's half of machine/cpu.h: a logical thread is a core; which one runs is the explorer's to say.
#pragma once

#include "machine/cpu.h"

namespace explorer {
void relax();
}

namespace host {

// What belongs to one logical thread; `here` is that of the one that runs.
struct Here {
    ThreadBase* current = nullptr;
    bool interrupts = true;
    uint64_t thread_pointer = 0;
};
extern Here home;                       // of the test program itself
inline constinit Here* here = &home;

}  // namespace host

namespace cpu {

inline bool disable_interrupts() {
    bool were_on = host::here->interrupts;
    host::here->interrupts = false;
    return were_on;
}
inline void forbid_interrupts() { host::here->interrupts = false; }
inline void restore_interrupts(bool were_on) { host::here->interrupts = were_on; }
inline bool interrupts_on() { return host::here->interrupts; }

inline uint64_t user_thread_pointer() { return host::here->thread_pointer; }
inline void set_user_thread_pointer(uint64_t value) { host::here->thread_pointer = value; }

inline void relax() { explorer::relax(); }
inline ThreadBase& current_base() { return *host::here->current; }
inline Thread* current_thread() { return reinterpret_cast<Thread*>(&current_base()); }

}  // namespace cpu
