// The rings of a serial line.
#include "drivers/serial_port.h"

#include "machine/rpi3/device.h"

size_t SerialPort::write(const uint8_t* bytes, size_t count) {
    SpinGuard guard(lock_);
    size_t taken = 0;
    do {
        while (taken < count && transmit_ring_.push(bytes[taken])) {
            ++taken;
        }
    } while (pump_locked() != 0 && taken < count);
    was_crowded_ = was_crowded_ || transmit_ring_.size() > transmit_capacity / 2;
    return taken;
}

bool SerialPort::push_waiting_locked(uint8_t byte) {
    if (transmit_ring_.full()) {
        device::Timeout timeout(2 * nanoseconds_per_second);
        while (pump_locked() == 0) {
            if (!timeout.step()) {
                return false;
            }
        }
    }
    return transmit_ring_.push(byte);
}

void SerialPort::put_text(std::string_view text) {
    // In pieces: waiting under the lock keeps interrupts off.
    static constexpr size_t piece_bytes = 32;
    size_t next = 0;
    bool moving = true;
    while (next < text.size() && moving) {
        SpinGuard guard(lock_);
        for (size_t i = 0; i < piece_bytes && next < text.size() && moving; ++i, ++next) {
            const char c = text.data()[next];
            moving = (c != '\n' || push_waiting_locked('\r')) && push_waiting_locked(static_cast<uint8_t>(c));
        }
        pump_locked();
    }
}

size_t SerialPort::room() {
    SpinGuard guard(lock_);
    return transmit_ring_.room();
}

// From the ring to the hardware, as much as it takes. The interrupt is wanted only while something waits, and only
// after the FIFO was filled: the PL011 interrupts when it becomes emptier, not because it is empty.
size_t SerialPort::pump_locked() {
    device::barrier();
    size_t moved = 0;
    uint8_t byte = 0;
    while (!transmit_ring_.empty() && transmit_ready()) {
        transmit_ring_.pop(byte);
        transmit(byte);
        ++moved;
    }
    counts_.transmitted += moved;
    want_transmit_interrupt(!transmit_ring_.empty());
    device::barrier();
    return moved;
}

// From the hardware to the ring; true if a break was among it. Bounded, so that a line gone mad can not hold the
// core: the interrupt comes again.
bool SerialPort::collect_locked() {
    bool was_break = false;
    for (unsigned i = 0; i < 256; ++i) {
        Received received;
        const bool more = receive(received);
        counts_.overruns += received.overrun;
        if (!more) {
            break;
        }
        if (received.line_break) {
            ++counts_.breaks;
            was_break = true;
        } else if (received.broken) {
            ++counts_.line_errors;
        } else if (receive_ring_.push(received.byte)) {
            ++counts_.received;
        } else {
            ++counts_.overruns;
        }
    }
    return was_break;
}

void SerialPort::handle_interrupt() {
    Hook room_hook, break_hook;
    {
        SpinGuard guard(lock_);
        device::barrier();
        if (!acknowledge()) {
            return;
        }
        const bool was_break = collect_locked();
        pump_locked();
        if (was_crowded_ && transmit_ring_.size() <= transmit_capacity / 4) {
            was_crowded_ = false;
            room_hook = room_hook_;
        }
        if (was_break) {
            break_hook = break_hook_;
        }
    }
    break_hook.call();
    deliver();
    room_hook.call();
}

// Empties the receive ring into the handler. The one who delivers looks again after each call, so whoever finds
// `delivering_` set may leave: his bytes are seen.
void SerialPort::deliver() {
    uint8_t bytes[64];
    bool mine = false;
    for (;;) {
        size_t count = 0;
        ReceiveHandler handler;
        void* context;
        {
            SpinGuard guard(lock_);
            if (delivering_ && !mine) {
                return;
            }
            handler = receive_handler_;
            context = receive_context_;
            while (handler != nullptr && count < sizeof(bytes) && receive_ring_.pop(bytes[count])) {
                ++count;
            }
            delivering_ = mine = count != 0;
        }
        if (count == 0) {
            return;
        }
        handler(context, bytes, count);
    }
}

void SerialPort::set_receive_handler(ReceiveHandler handler, void* context) {
    {
        SpinGuard guard(lock_);
        receive_handler_ = handler;
        receive_context_ = context;
    }
    InterruptGuard as_in_an_interrupt;
    deliver();
}

void SerialPort::set_room_handler(EventHandler handler, void* context) {
    SpinGuard guard(lock_);
    room_hook_ = {handler, context};
}

void SerialPort::set_break_handler(EventHandler handler, void* context) {
    SpinGuard guard(lock_);
    break_hook_ = {handler, context};
}

void SerialPort::flush_polled() {
    SpinGuard guard(lock_);
    flush_locked();
}

void SerialPort::flush_polled_in_panic() {
    flush_locked();
}

void SerialPort::flush_locked() {
    device::Timeout timeout(2 * nanoseconds_per_second);
    do {
        pump_locked();
    } while ((!transmit_ring_.empty() || !transmit_finished()) && timeout.step());
}

SerialPort::Counts SerialPort::counts() {
    SpinGuard guard(lock_);
    return counts_;
}
