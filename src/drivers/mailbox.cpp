// Property calls.
#include "drivers/mailbox.h"

#include "machine/rpi3/device.h"
#include "machine/rpi3/dma.h"

static constexpr Nanoseconds patience = 100'000'000;

Result<void> Mailbox::call(uint32_t tag, void* value, size_t bytes, size_t expected) {
    if (registers_ == nullptr) {
        return Error::NoDevice;
    }
    SpinGuard guard(lock_);
    message_.build(tag, value, bytes);
    dma::clean_and_invalidate(&message_, sizeof(message_));
    const uint32_t address = dma::bus_address(dma::physical(&message_));
    TRY(exchange_locked(MailboxRegisters::Channel::set(address, MailboxRegisters::channel_property)));
    dma::clean_and_invalidate(&message_, sizeof(message_));
    return message_.parse(tag, value, bytes, expected);
}

// Sends the word and waits until the same word comes back.
Result<void> Mailbox::exchange_locked(uint32_t word) {
    device::barrier();
    device::Timeout timeout(patience);
    while (MailboxRegisters::Full::get(registers_->write_status.read()) != 0) {
        if (!timeout.step()) {
            return Error::TimedOut;
        }
    }
    registers_->write.write(word);
    for (;;) {
        while (MailboxRegisters::Empty::get(registers_->status.read()) != 0) {
            if (!timeout.step()) {
                return Error::TimedOut;
            }
        }
        // Another word is the late answer to a call that gave up.
        if (registers_->read.read() == word) {
            device::barrier();
            return {};
        }
        if (!timeout.step()) {
            return Error::TimedOut;
        }
    }
}

Result<uint32_t> Mailbox::clock_rate(property::Clock clock) {
    property::GetClockRate tag{.clock = clock};
    TRY(call(tag));
    return tag.hertz;
}

Result<uint32_t> Mailbox::maximum_clock_rate(property::Clock clock) {
    property::GetMaximumClockRate tag{.clock = clock};
    TRY(call(tag));
    return tag.hertz;
}
