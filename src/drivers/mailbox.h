// The mailboxes between the ARM cores and the VideoCore, used for one thing: property messages on channel 8.
//
// One call at a time, from asking to answer, under the lock; the VideoCore takes microseconds, and gets 100 ms
// before it is given up. After a time-out, a late answer is thrown away by the next call.
#pragma once

#include "base/bits.h"
#include "base/result.h"
#include "drivers/property.h"
#include "machine/rpi3/register.h"
#include "machine/spin_lock.h"

// At 0x3f00b880: mailbox 0 (VideoCore to ARM), then mailbox 1 (ARM to VideoCore). The addresses are in BCM2835 ARM
// Peripherals 1.2.3's map only by their block; the layout is the firmware project's ("Mailboxes").
struct MailboxRegisters {
    ReadOnlyRegister read;
    uint32_t reserved0[3];
    ReadOnlyRegister peek;
    ReadOnlyRegister sender;
    ReadOnlyRegister status;
    Register configuration;
    WriteOnlyRegister write;            // mailbox 1
    uint32_t reserved1[5];
    ReadOnlyRegister write_status;      // mailbox 1
    Register write_configuration;

    using Full = BitField<uint32_t, 31>;
    using Empty = BitField<uint32_t, 30>;
    using Channel = BitField<uint32_t, 0, 3>;
    static constexpr uint32_t channel_property = 8;
};
static_assert(sizeof(MailboxRegisters) == 0x40);

class Mailbox {
public:
    constexpr Mailbox() = default;
    void start(MailboxRegisters& registers) { registers_ = &registers; }

    // Asks, waits, leaves the answer in `tag`. NoDevice: not started. TimedOut: no answer. Io: a wrong one.
    // NotSupported: this firmware does not know the tag.
    template <property::IsTag Tag>
    Result<void> call(Tag& tag) {
        return call(Tag::tag, &tag, sizeof(Tag), property::answer_bytes<Tag>());
    }

    Result<uint32_t> clock_rate(property::Clock clock);             // hertz
    Result<uint32_t> maximum_clock_rate(property::Clock clock);     // hertz

private:
    Result<void> call(uint32_t tag, void* value, size_t bytes, size_t expected);
    Result<void> exchange_locked(uint32_t word) REQUIRES(lock_);

    SpinLock lock_{LockRank::Devices, "mailbox"};
    MailboxRegisters* registers_ = nullptr;
    property::Message message_ GUARDED_BY(lock_) {};
};
