// The power manager's watchdog: resets the chip when its count ends. At 0x3f100000.
//
// Not in BCM2835 ARM Peripherals; known from the published sources of the boot firmware's users. Each write carries
// a password, else it is ignored.
#pragma once

#include "base/bits.h"
#include "machine/rpi3/register.h"

struct PowerRegisters {
    uint32_t reserved0[7];
    Register reset_control;     // 0x1c, PM_RSTC
    Register reset_status;      // 0x20, PM_RSTS: kept over the reset; tells the firmware what to do
    Register watchdog;          // 0x24, PM_WDOG
};
static_assert(sizeof(PowerRegisters) == 0x28);

namespace power_manager {

inline constexpr uint64_t physical = 0x3f10'0000;

using Password = BitField<uint32_t, 24, 31>;
inline constexpr uint32_t password = Password::of(0x5a);

namespace reset_control {
using Action = BitField<uint32_t, 4, 5>;
inline constexpr uint32_t full_reset = 2;
}
namespace reset_status {
// Partition 63, spread over the even bits: the firmware halts instead of booting.
inline constexpr uint32_t partition_mask = 0x555;
inline constexpr uint32_t halt = 0x555;
}
namespace watchdog {
using Count = BitField<uint32_t, 0, 19>;    // of 16 microseconds
}

}  // namespace power_manager
