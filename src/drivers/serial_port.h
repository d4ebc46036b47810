// A serial line: rings between an interrupt and everybody else. What is common to the PL011 and the mini-UART.
//
// Nothing that write() accepted is lost: it waits in the ring until the hardware takes it, or until
// flush_polled() pushes it out. What comes in goes through a ring to the handler; bytes beyond the ring are
// counted as overruns. The lock covers the rings and the hardware; handlers are called without it, in interrupt
// context, one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "drivers/ring.h"
#include "machine/spin_lock.h"

class SerialPort {
public:
    static constexpr size_t transmit_capacity = 4096;
    static constexpr size_t receive_capacity = 1024;

    using ReceiveHandler = void (*)(void* context, const uint8_t* bytes, size_t count);
    using EventHandler = void (*)(void* context);

    struct Counts {
        uint64_t received = 0, transmitted = 0;
        uint64_t overruns = 0;              // bytes lost: ours came too late, or the ring was full
        uint64_t line_errors = 0;           // bytes thrown away: wrong stop bit or parity
        uint64_t breaks = 0;
    };

    SerialPort(const SerialPort&) = delete;
    SerialPort& operator=(const SerialPort&) = delete;

    // Queues as much as fits, as it is (no carriage returns are added). The number of bytes taken. Any context.
    size_t write(const uint8_t* bytes, size_t count);
    size_t write(std::string_view text) { return write(reinterpret_cast<const uint8_t*>(text.data()), text.size()); }
    // All of it, with a carriage return before each newline; where the ring is full, waits for the hardware to take
    // some, without sleeping, two seconds at most. Not inside this port's handlers. For the kernel log.
    void put_text(std::string_view text);
    size_t room();                          // bytes that write() would take now

    // What came before there was a handler is given to it at once, in the caller's context.
    void set_receive_handler(ReceiveHandler handler, void* context);
    // Called when three quarters of the ring are free again, after it was more than half full: so after every
    // write() that took less than it was given.
    void set_room_handler(EventHandler handler, void* context);
    void set_break_handler(EventHandler handler, void* context);

    // Waits until all that was queued has left, or two seconds. For the end of a run.
    void flush_polled();
    // The same without the lock: the other cores have stopped, one of them perhaps inside this port.
    void flush_polled_in_panic() NO_THREAD_SAFETY_ANALYSIS;

    // The line's interrupt handler; `port` is a SerialPort.
    static void on_interrupt(void* port) { static_cast<SerialPort*>(port)->handle_interrupt(); }
    void handle_interrupt();

    Counts counts();

protected:
    constexpr explicit SerialPort(const char* name) : lock_(LockRank::Console, name) {}
    ~SerialPort() = default;

    // One position of the receive FIFO.
    struct Received {
        uint8_t byte = 0;
        bool broken = false;                // wrong stop bit or parity: the byte is not what was sent
        bool line_break = false;
        bool overrun = false;               // bytes were lost before this one
    };

    // The hardware, under the lock.
    virtual bool transmit_ready() REQUIRES(lock_) = 0;              // its FIFO takes a byte
    virtual void transmit(uint8_t byte) REQUIRES(lock_) = 0;
    virtual bool transmit_finished() REQUIRES(lock_) = 0;           // the last bit has left
    virtual bool receive(Received& received) REQUIRES(lock_) = 0;   // false: nothing there
    virtual void want_transmit_interrupt(bool wanted) REQUIRES(lock_) = 0;
    // At the start of an interrupt: is it ours? Takes back what must be taken back before the FIFOs are served.
    virtual bool acknowledge() REQUIRES(lock_) = 0;

    // For start(): what came before it is kept, what was written before it leaves.
    bool collect_locked() REQUIRES(lock_);
    size_t pump_locked() REQUIRES(lock_);

    SpinLock lock_;

private:
    struct Hook {
        EventHandler handler = nullptr;
        void* context = nullptr;
        void call() const {
            if (handler != nullptr) {
                handler(context);
            }
        }
    };

    bool push_waiting_locked(uint8_t byte) REQUIRES(lock_);
    void flush_locked() REQUIRES(lock_);
    void deliver() EXCLUDES(lock_);

    Ring<uint8_t, transmit_capacity> transmit_ring_ GUARDED_BY(lock_);
    Ring<uint8_t, receive_capacity> receive_ring_ GUARDED_BY(lock_);
    Counts counts_ GUARDED_BY(lock_);
    bool was_crowded_ GUARDED_BY(lock_) = false;    // the transmit ring was more than half full
    bool delivering_ GUARDED_BY(lock_) = false;     // somebody calls the receive handler
    ReceiveHandler receive_handler_ GUARDED_BY(lock_) = nullptr;
    void* receive_context_ GUARDED_BY(lock_) = nullptr;
    Hook room_hook_ GUARDED_BY(lock_);
    Hook break_hook_ GUARDED_BY(lock_);
};

// 16 * baud goes into the clock this often, in 64ths, rounded: the PL011's divisor (DDI 0183 3.3.6). 0 if the clock is too slow.
constexpr uint32_t pl011_divisor(uint32_t clock_hertz, uint32_t baud) {
    const uint64_t divisor = (uint64_t{clock_hertz} * 8 / baud + 1) / 2;
    return divisor < 64 || divisor > 0xffff * 64 ? 0 : static_cast<uint32_t>(divisor);
}

// baud = clock / (8 * (value + 1)), rounded: the mini-UART's (BCM2835 ARM Peripherals 2.2.1).
constexpr uint32_t mini_uart_divisor(uint32_t clock_hertz, uint32_t baud) {
    const uint32_t eighths = (clock_hertz / 4 / baud + 1) / 2;
    return eighths == 0 ? 0 : eighths - 1;
}
