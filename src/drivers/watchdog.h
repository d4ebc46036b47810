// The watchdog: resets the chip if nobody feeds it in time.
//
// Ending a run on purpose is machine/power.h, over the same registers (machine/rpi3/power_registers.h).
// QEMU resets at once when it is armed, whatever the count: arm it on a board only.
#pragma once

#include "base/result.h"
#include "base/types.h"
#include "machine/rpi3/power_registers.h"
#include "machine/spin_lock.h"

class Watchdog {
public:
    static constexpr Nanoseconds tick = nanoseconds_per_second / 65536;     // of its count
    static constexpr Nanoseconds longest = tick * power_manager::watchdog::Count::mask;

    constexpr Watchdog() = default;
    void start(PowerRegisters& registers) { registers_ = &registers; }

    // Resets the chip after `time`, unless it is fed or stopped before. Range: 0, or more than `longest` (16 s).
    Result<> arm(Nanoseconds time);
    void feed();                // starts the time again, if armed
    void stop();
    Nanoseconds remaining();    // never, if it is not armed

private:
    void load_locked() REQUIRES(lock_);

    SpinLock lock_{LockRank::Devices, "watchdog"};
    PowerRegisters* registers_ = nullptr;
    uint32_t count_ GUARDED_BY(lock_) = 0;      // 0: not armed
};
