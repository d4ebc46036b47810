// The PL011 UART: ARM PrimeCell UART TRM (DDI 0183) chapter 3, BCM2835 ARM Peripherals 13.4. At 0x3f201000.
#pragma once

#include "base/bits.h"
#include "machine/rpi3/register.h"

struct Pl011Registers {
    Register data;                      // 0x00
    Register receive_status;            // 0x04
    uint32_t reserved0[4];
    ReadOnlyRegister flags;             // 0x18
    uint32_t reserved1[2];
    Register integer_divisor;           // 0x24
    Register fractional_divisor;        // 0x28: in 64ths
    Register line_control;              // 0x2c: writing it takes over the divisors too
    Register control;                   // 0x30
    Register fifo_levels;               // 0x34
    Register interrupt_mask;            // 0x38: 1 lets the interrupt through
    ReadOnlyRegister raw_interrupts;    // 0x3c
    ReadOnlyRegister interrupts;        // 0x40
    WriteOnlyRegister interrupt_clear;  // 0x44
    Register dma_control;               // 0x48
};
static_assert(sizeof(Pl011Registers) == 0x4c);

namespace pl011 {

inline constexpr uint64_t physical = 0x3f20'1000;

namespace data {            // 3.3.1
using Byte = BitField<uint32_t, 0, 7>;
using Framing = BitField<uint32_t, 8>;
using Parity = BitField<uint32_t, 9>;
using Break = BitField<uint32_t, 10>;
using Overrun = BitField<uint32_t, 11>;
}
namespace flags {           // 3.3.3
using Busy = BitField<uint32_t, 3>;
using ReceiveEmpty = BitField<uint32_t, 4>;
using TransmitFull = BitField<uint32_t, 5>;
using ReceiveFull = BitField<uint32_t, 6>;
using TransmitEmpty = BitField<uint32_t, 7>;
}
namespace line {            // 3.3.7
using Break = BitField<uint32_t, 0>;
using Fifos = BitField<uint32_t, 4>;
using WordLength = BitField<uint32_t, 5, 6>;    // 3: eight bits
}
namespace control {         // 3.3.8
using Enable = BitField<uint32_t, 0>;
using Transmit = BitField<uint32_t, 8>;
using Receive = BitField<uint32_t, 9>;
}
namespace levels {          // 3.3.9: 0..4 is 1/8, 1/4, 1/2, 3/4, 7/8 full
using Transmit = BitField<uint32_t, 0, 2>;
using Receive = BitField<uint32_t, 3, 5>;
}
namespace interrupt {       // 3.3.10 to 3.3.13
using Receive = BitField<uint32_t, 4>;
using Transmit = BitField<uint32_t, 5>;
using ReceiveTimeout = BitField<uint32_t, 6>;
using Errors = BitField<uint32_t, 7, 10>;
inline constexpr uint32_t all = 0x7ff;
}

}  // namespace pl011
