// Serial lines: rings, handlers, and nothing lost, over hardware that a test can hold back.
#include <string_view>

#include "drivers/serial_port.h"
#include "drivers/uart_mini.h"
#include "drivers/uart_pl011.h"

#include "CppUTest/TestHarness.h"    // last: it redefines new

namespace {

// Hardware with a FIFO whose far end the test is.
class TestPort final : public SerialPort {
public:
    constexpr TestPort() : SerialPort("test port") {}

    size_t transmit_room = 0;           // bytes that it takes before it is full
    char sent[8192] = {};
    size_t sent_count = 0;
    Received incoming[2048] = {};
    size_t incoming_count = 0, incoming_taken = 0;
    bool interrupt_wanted = false;
    bool ours = true;

    std::string_view sent_text() const { return {sent, sent_count}; }
    void arrive(std::string_view text) {
        for (char c : text) {
            incoming[incoming_count++].byte = static_cast<uint8_t>(c);
        }
    }
    void arrive_break() { incoming[incoming_count++].line_break = true; }
    void arrive_broken() { incoming[incoming_count++].broken = true; }

private:
    bool transmit_ready() override { return transmit_room != 0; }
    void transmit(uint8_t byte) override {
        --transmit_room;
        sent[sent_count++] = static_cast<char>(byte);
    }
    bool transmit_finished() override { return true; }
    bool receive(Received& received) override {
        if (incoming_taken == incoming_count) {
            return false;
        }
        received = incoming[incoming_taken++];
        return true;
    }
    void want_transmit_interrupt(bool wanted) override { interrupt_wanted = wanted; }
    bool acknowledge() override { return ours; }
};

// What the handlers saw. The port's lock must be free in each of them: room() takes it.
struct Listener {
    SerialPort* port = nullptr;
    char text[4096] = {};
    size_t length = 0;
    unsigned rooms = 0, breaks = 0;

    static void on_bytes(void* self_, const uint8_t* bytes, size_t count) {
        auto& self = *static_cast<Listener*>(self_);
        self.port->room();
        for (size_t i = 0; i < count; ++i) {
            self.text[self.length++] = static_cast<char>(bytes[i]);
        }
    }
    static void on_room(void* self) {
        ++static_cast<Listener*>(self)->rooms;
        static_cast<Listener*>(self)->port->room();
    }
    static void on_break(void* self) { ++static_cast<Listener*>(self)->breaks; }
    std::string_view heard() const { return {text, length}; }
};

}  // namespace

TEST_GROUP(SerialPort) {
    TestPort& port = *new TestPort;
    Listener& listener = *new Listener;

    void setup() override { listener.port = &port; }
    void teardown() override {
        delete &port;
        delete &listener;
    }
    void listen() {
        port.set_receive_handler(&Listener::on_bytes, &listener);
        port.set_room_handler(&Listener::on_room, &listener);
        port.set_break_handler(&Listener::on_break, &listener);
    }
};

TEST(SerialPort, WhatFitsTheHardwareLeavesAtOnceAndNeedsNoInterrupt) {
    port.transmit_room = 16;
    LONGS_EQUAL(5, port.write("hello"));
    CHECK(port.sent_text() == "hello");
    CHECK(!port.interrupt_wanted);
}

TEST(SerialPort, TheRestWaitsForTheInterrupt) {
    port.transmit_room = 2;
    LONGS_EQUAL(5, port.write("hello"));
    CHECK(port.sent_text() == "he");
    CHECK(port.interrupt_wanted);
    port.transmit_room = 16;
    port.handle_interrupt();
    CHECK(port.sent_text() == "hello");
    CHECK(!port.interrupt_wanted);
}

TEST(SerialPort, AWriteThatDoesNotFitSaysHowMuchItTookAndIsCalledBack) {
    listen();
    static uint8_t bytes[SerialPort::transmit_capacity + 100];
    LONGS_EQUAL(SerialPort::transmit_capacity, port.write(bytes, sizeof(bytes)));
    LONGS_EQUAL(0, port.room());
    port.transmit_room = 100;
    port.handle_interrupt();
    LONGS_EQUAL(0, listener.rooms);
    port.transmit_room = SerialPort::transmit_capacity;
    port.handle_interrupt();
    LONGS_EQUAL(1, listener.rooms);
    port.handle_interrupt();
    LONGS_EQUAL(1, listener.rooms);
    LONGS_EQUAL(SerialPort::transmit_capacity, port.sent_count);
}

TEST(SerialPort, TextGetsCarriageReturnsAndAllOfItWaitsForTheHardware) {
    port.transmit_room = 3;
    port.put_text("a\nb\n");
    CHECK(port.sent_text() == "a\r\n");
    port.transmit_room = 100;
    port.handle_interrupt();
    CHECK(port.sent_text() == "a\r\nb\r\n");
}

TEST(SerialPort, TextLongerThanTheRingIsSentWhole) {
    static char text[SerialPort::transmit_capacity + 500];
    for (char& c : text) {
        c = 'x';
    }
    port.transmit_room = 600;
    port.put_text({text, sizeof(text)});
    LONGS_EQUAL(600, port.sent_count);
    LONGS_EQUAL(SerialPort::transmit_capacity - 100, SerialPort::transmit_capacity - port.room());
}

TEST(SerialPort, TextToHardwareThatIsStuckIsGivenUp) {
    static char text[SerialPort::transmit_capacity + 500];
    port.put_text({text, sizeof(text)});
    LONGS_EQUAL(0, port.room());
}

TEST(SerialPort, FlushingPushesEverythingOut) {
    port.write("last words");
    port.transmit_room = 100;
    port.flush_polled();
    CHECK(port.sent_text() == "last words");
    port.transmit_room = 0;
    port.write("stuck");
    port.flush_polled_in_panic();       // ends, though nothing moves
    LONGS_EQUAL(10, port.sent_count);
}

TEST(SerialPort, WhatArrivesIsHeardInOrder) {
    listen();
    port.arrive("one ");
    port.handle_interrupt();
    port.arrive("two");
    port.handle_interrupt();
    CHECK(listener.heard() == "one two");
    LONGS_EQUAL(7, port.counts().received);
}

TEST(SerialPort, WhatArrivedBeforeTheHandlerIsKeptForIt) {
    port.arrive("early");
    port.handle_interrupt();
    listen();
    CHECK(listener.heard() == "early");
}

TEST(SerialPort, BytesBeyondTheRingAreCounted) {
    for (size_t i = 0; i < SerialPort::receive_capacity + 3; ++i) {
        port.arrive("x");
    }
    while (port.incoming_taken != port.incoming_count) {
        port.handle_interrupt();
    }
    LONGS_EQUAL(3, port.counts().overruns);
    listen();
    LONGS_EQUAL(SerialPort::receive_capacity, listener.length);
}

TEST(SerialPort, ABreakIsAnEventAndABrokenByteIsDropped) {
    listen();
    port.arrive("a");
    port.arrive_break();
    port.arrive_broken();
    port.arrive("b");
    port.handle_interrupt();
    CHECK(listener.heard() == "ab");
    LONGS_EQUAL(1, listener.breaks);
    LONGS_EQUAL(1, port.counts().breaks);
    LONGS_EQUAL(1, port.counts().line_errors);
}

TEST(SerialPort, AnInterruptOfAnotherDeviceOnTheLineIsLeftAlone) {
    listen();
    port.ours = false;
    port.arrive("x");
    port.handle_interrupt();
    LONGS_EQUAL(0, listener.length);
}

TEST_GROUP(Uarts) {
    uint32_t pl011_words[sizeof(Pl011Registers) / 4] = {};
    uint32_t aux_words[sizeof(AuxRegisters) / 4] = {};
    Pl011& pl011 = *new Pl011;
    MiniUart& mini = *new MiniUart;
    Pl011Registers& pl011_registers() { return *reinterpret_cast<Pl011Registers*>(pl011_words); }
    AuxRegisters& aux_registers() { return *reinterpret_cast<AuxRegisters*>(aux_words); }
    void teardown() override {
        delete &pl011;
        delete &mini;
    }
};

TEST(Uarts, ThePl011IsSetTo8N1WithFifosAndItsReceiverInterrupts) {
    CHECK(pl011.start(pl011_registers(), 48'000'000, 115'200).ok());
    LONGS_EQUAL(26, pl011_words[0x24 / 4]);
    LONGS_EQUAL(3, pl011_words[0x28 / 4]);
    LONGS_EQUAL(0x70, pl011_words[0x2c / 4]);
    LONGS_EQUAL(0x301, pl011_words[0x30 / 4]);
    LONGS_EQUAL(0x50, pl011_words[0x38 / 4]);
}

TEST(Uarts, AFullFifoOfThePl011TurnsItsTransmitInterruptOn) {
    CHECK(pl011.start(pl011_registers(), 48'000'000, 115'200).ok());
    pl011_words[0x18 / 4] = 1u << 5 | 1u << 4;      // transmitter full, receiver empty
    LONGS_EQUAL(1, pl011.write("x"));
    LONGS_EQUAL(0x70, pl011_words[0x38 / 4]);
    pl011_words[0x18 / 4] = 1u << 4;
    pl011_words[0x40 / 4] = 1u << 5;
    pl011.handle_interrupt();
    LONGS_EQUAL('x', pl011_words[0]);
    LONGS_EQUAL(0x50, pl011_words[0x38 / 4]);
}

TEST(Uarts, WhatWasWrittenBeforeTheStartLeavesWithIt) {
    LONGS_EQUAL(1, pl011.write("e"));
    CHECK(pl011.start(pl011_registers(), 48'000'000, 115'200).ok());
    LONGS_EQUAL('e', pl011_words[0]);
}

TEST(Uarts, AClockThatGivesNoSuchRateIsRefused) {
    CHECK(pl011.start(pl011_registers(), 1'000'000, 115'200).error() == Error::Invalid);
    CHECK(mini.start(aux_registers(), 0, 115'200, true).error() == Error::Invalid);
    LONGS_EQUAL(0, pl011_words[0x30 / 4]);
}

TEST(Uarts, TheMiniUartIsEnabledAmongItsNeighboursAndSetToEightBits) {
    aux_words[1] = 4;                               // SPI 2 is in use
    CHECK(mini.start(aux_registers(), 250'000'000, 115'200, true).ok());
    LONGS_EQUAL(5, aux_words[1]);
    LONGS_EQUAL(3, aux_words[0x4c / 4]);
    LONGS_EQUAL(270, aux_words[0x68 / 4]);
    LONGS_EQUAL(3, aux_words[0x60 / 4]);
    LONGS_EQUAL(0xd, aux_words[0x44 / 4]);
}
