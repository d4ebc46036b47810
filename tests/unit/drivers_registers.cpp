// Drivers over register blocks that are plain memory: what they write where.
#include "drivers/board.h"
#include "drivers/gpio.h"
#include "drivers/interrupts.h"
#include "drivers/mailbox.h"
#include "drivers/serial_port.h"
#include "drivers/watchdog.h"

#include "CppUTest/TestHarness.h"    // last: it redefines new

namespace {

// A register block as tests see it: words.
template <typename Block>
struct Words {
    uint32_t word[sizeof(Block) / 4] = {};
    Block& block() { return *reinterpret_cast<Block*>(word); }
    uint32_t& at(size_t offset) { return word[offset / 4]; }
};

}  // namespace

TEST_GROUP(Gpio) {
    Words<GpioRegisters> words;
    Gpio gpio;
    void setup() override { gpio.start(words.block()); }
};

TEST(Gpio, SettingAFunctionLeavesTheOtherNinePinsOfTheWordAlone) {
    words.at(0x04) = 0x3fff'ffff;
    gpio.set_function(14, Gpio::Function::Alt0);
    LONGS_EQUAL(0x3fff'cfff, words.at(0x04));
    CHECK(gpio.function(14) == Gpio::Function::Alt0);
    CHECK(gpio.function(15) == static_cast<Gpio::Function>(7));
}

TEST(Gpio, TheLastPinIsInTheSixthWord) {
    gpio.set_function(53, Gpio::Function::Output);
    LONGS_EQUAL(1u << 9, words.at(0x14));
}

TEST(Gpio, HighAndLowGoToDifferentWords) {
    gpio.write(47, true);
    gpio.write(3, false);
    LONGS_EQUAL(1u << 15, words.at(0x20));
    LONGS_EQUAL(1u << 3, words.at(0x28));
    words.at(0x38) = 1u << 15;
    CHECK(gpio.read(47));
    CHECK(!gpio.read(46));
}

TEST(Gpio, ThePullIsTakenAwayAfterItWasClockedIn) {
    words.at(0x94) = 3;
    words.at(0x98) = ~0u;
    gpio.set_pull(14, Gpio::Pull::Up);
    LONGS_EQUAL(0, words.at(0x94));
    LONGS_EQUAL(0, words.at(0x98));
}

TEST_GROUP(Watchdog) {
    Words<PowerRegisters> words;
    Watchdog watchdog;
    void setup() override { watchdog.start(words.block()); }
};

TEST(Watchdog, ArmingWritesThePasswordAndTheCount) {
    CHECK(watchdog.arm(nanoseconds_per_second).ok());
    LONGS_EQUAL(0x5a00'0000, words.at(0x24) & 0xff00'0000);
    CHECK((words.at(0x24) & 0xf'ffff) >= 65536);
    LONGS_EQUAL(0x5a00'0020, words.at(0x1c));
    watchdog.stop();
    LONGS_EQUAL(0x5a00'0000, words.at(0x1c));
    CHECK(watchdog.remaining() == never);
}

TEST(Watchdog, SixteenSecondsAreTheMost) {
    CHECK(watchdog.arm(Watchdog::longest).ok());
    CHECK(watchdog.arm(Watchdog::longest + 1).error() == Error::Range);
    CHECK(watchdog.arm(0).error() == Error::Range);
}

TEST_GROUP(PropertyMessage) {
    static inline property::Message message;        // aligned to more than the test's allocator gives
};

TEST(PropertyMessage, ARequestIsLaidOutAsTheFirmwareReadsIt) {
    property::GetClockRate tag{.clock = property::Clock::Uart};
    message.build(tag.tag, &tag, sizeof(tag));
    const uint32_t expected[] = {32, 0, 0x30002, 8, 0, 2, 0, 0};
    for (size_t i = 0; i < 8; ++i) {
        LONGS_EQUAL(expected[i], message.words[i]);
    }
}

TEST(PropertyMessage, AnAnswerFillsTheTag) {
    property::GetClockRate tag{.clock = property::Clock::Uart};
    message.build(tag.tag, &tag, sizeof(tag));
    message.words[1] = 0x8000'0000;
    message.words[4] = 0x8000'0008;
    message.words[6] = 48'000'000;
    CHECK(message.parse(tag.tag, &tag, sizeof(tag), property::answer_bytes<property::GetClockRate>()).ok());
    LONGS_EQUAL(48'000'000, tag.hertz);
}

TEST(PropertyMessage, SilenceAShortAnswerAndAnotherTagAreErrors) {
    property::GetClockRate tag{.clock = property::Clock::Uart};
    message.build(tag.tag, &tag, sizeof(tag));
    CHECK(message.parse(tag.tag, &tag, 8, 8).error() == Error::Io);
    message.words[1] = 0x8000'0000;
    CHECK(message.parse(tag.tag, &tag, 8, 8).error() == Error::NotSupported);
    message.words[4] = 0x8000'0004;
    CHECK(message.parse(tag.tag, &tag, 8, 8).error() == Error::NotSupported);
    message.words[4] = 0x8000'0008;
    message.words[1] = 0x8000'0001;
    CHECK(message.parse(tag.tag, &tag, 8, 8).error() == Error::Io);
    CHECK(message.parse(0x10002, &tag, 8, 8).error() == Error::Io);
}

TEST(PropertyMessage, AnAddressOfSixBytesTravelsInTwoWords) {
    LONGS_EQUAL(6, property::answer_bytes<property::MacAddress>());
    LONGS_EQUAL(8, sizeof(property::MacAddress));
}

TEST_GROUP(Mailbox) {
    Words<MailboxRegisters> words;
    static inline Mailbox mailbox;                  // as above
};

TEST(Mailbox, WithoutADeviceThereIsNoAnswer) {
    Mailbox unconnected;
    CHECK(unconnected.clock_rate(property::Clock::Arm).error() == Error::NoDevice);
}

TEST(Mailbox, AFirmwareThatDoesNotTakeTheMessageIsGivenUp) {
    mailbox.start(words.block());
    words.at(0x38) = 1u << 31;
    CHECK(mailbox.clock_rate(property::Clock::Arm).error() == Error::TimedOut);
    LONGS_EQUAL(0, words.at(0x20));
}

TEST(Mailbox, AFirmwareThatDoesNotAnswerIsGivenUp) {
    mailbox.start(words.block());
    words.at(0x18) = 1u << 30;
    CHECK(mailbox.clock_rate(property::Clock::Arm).error() == Error::TimedOut);
    LONGS_EQUAL(8, words.at(0x20) & 0xf);
    CHECK((words.at(0x20) & 0xc000'0000) == 0xc000'0000);
}

TEST_GROUP(Board) {};

TEST(Board, RevisionCodesNameTheirBoards) {
    struct { uint32_t code; const char* name; uint32_t mebibytes; } boards[] = {
        {0xa02082, "Raspberry Pi 3 Model B", 1024},     {0xa22082, "Raspberry Pi 3 Model B", 1024},
        {0xa020d3, "Raspberry Pi 3 Model B+", 1024},    {0x9020e0, "Raspberry Pi 3 Model A+", 512},
        {0x902120, "Raspberry Pi Zero 2 W", 512},       {0xa02100, "Raspberry Pi Compute Module 3+", 1024},
    };
    for (const auto& board : boards) {
        RevisionCode revision{board.code};
        CHECK(revision.model() == board.name);
        CHECK(revision.processor() == "BCM2837");
        LONGS_EQUAL(board.mebibytes, revision.memory_mebibytes());
    }
}

TEST(Board, AnOldOrUnknownCodeIsAnUnknownBoard) {
    for (uint32_t code : {0u, 0x000eu, 0xa0fff2u}) {
        CHECK(RevisionCode{code}.model() == "unknown board");
        CHECK(activity_led(RevisionCode{code}) == LedWiring::None);
    }
}

TEST_GROUP(Divisors) {};

TEST(Divisors, ThePl011sIsRoundedToSixtyFourths) {
    LONGS_EQUAL(26 * 64 + 3, pl011_divisor(48'000'000, 115'200));
    LONGS_EQUAL(1 * 64 + 40, pl011_divisor(3'000'000, 115'200));
    LONGS_EQUAL(0, pl011_divisor(1'000'000, 115'200));
    LONGS_EQUAL(0, pl011_divisor(0, 115'200));
    LONGS_EQUAL(0, pl011_divisor(4'000'000'000, 300));
}

TEST(Divisors, TheMiniUartsCountsEighthsOfTheClock) {
    LONGS_EQUAL(270, mini_uart_divisor(250'000'000, 115'200));
    LONGS_EQUAL(433, mini_uart_divisor(400'000'000, 115'200));
    LONGS_EQUAL(0, mini_uart_divisor(0, 115'200));
}

TEST_GROUP(Interrupts) {
    Words<LocalInterruptRegisters> local;
    Words<PeripheralInterruptRegisters> peripherals;
    InterruptController controller;
    static inline unsigned calls;
    static void count_call(void*) { ++calls; }
    // Quietens the device, as a real handler does: core 0's pending word.
    static void count_and_quieten(void* pending) {
        ++calls;
        *static_cast<uint32_t*>(pending) = 0;
    }
    InterruptGuard* interrupts_off = nullptr;

    void setup() override {
        calls = 0;
        interrupts_off = new InterruptGuard;
        controller.start(local.block(), peripherals.block());
    }
    void teardown() override { delete interrupts_off; }
    uint32_t& pending_here() { return local.at(0x60 + 4 * cpu::current().id); }
};

TEST(Interrupts, StartTurnsAllPeripheralsOff) {
    LONGS_EQUAL(~0u, peripherals.at(0x1c));
    LONGS_EQUAL(~0u, peripherals.at(0x20));
    LONGS_EQUAL(0xff, peripherals.at(0x24));
}

TEST(Interrupts, ALineOfTheSecondWordIsEnabledThere) {
    controller.enable(Line::Uart);
    LONGS_EQUAL(0, peripherals.at(0x10));
    LONGS_EQUAL(1u << 25, peripherals.at(0x14));
}

TEST(Interrupts, ATimerAndAMailboxOfThisCoreHaveTheirOwnControlWords) {
    const unsigned core = cpu::current().id;
    controller.enable(Line::VirtualTimer);
    controller.enable(Line::Mailbox0);
    LONGS_EQUAL(1u << 3, local.at(0x40 + 4 * core));
    LONGS_EQUAL(1u << 0, local.at(0x50 + 4 * core));
    controller.disable(Line::VirtualTimer);
    LONGS_EQUAL(0, local.at(0x40 + 4 * core));
}

TEST(Interrupts, APendingPeripheralReachesItsHandlerOnce) {
    controller.set_handler(Line::Uart, &count_and_quieten, &pending_here());
    controller.enable(Line::Uart);      // in plain memory the enabled word reads back
    pending_here() = 1u << 8;
    peripherals.at(0x08) = 1u << 25;
    controller.dispatch();
    LONGS_EQUAL(1, calls);
    LONGS_EQUAL(1, controller.count(Line::Uart, cpu::current().id));
    LONGS_EQUAL(1, controller.total());
}

TEST(Interrupts, ALineThatIsNotEnabledIsNotDispatched) {
    controller.set_handler(Line::Uart, &count_call, nullptr);
    pending_here() = 1u << 8;
    peripherals.at(0x08) = 1u << 25;
    controller.dispatch();
    LONGS_EQUAL(0, calls);
}

TEST(Interrupts, ACallFromAnotherCoreIsTakenBackBeforeItIsHandled) {
    const unsigned core = cpu::current().id;
    controller.set_handler(Line::Mailbox0, &count_and_quieten, &pending_here());
    pending_here() = 1u << 4;
    local.at(0xc0 + 16 * core) = 1;
    controller.dispatch();
    LONGS_EQUAL(1, calls);
    LONGS_EQUAL(1, local.at(0xc0 + 16 * core));     // the one that was read was written back: clears
}

TEST(Interrupts, ALineThatNobodyHandlesIsTurnedOff) {
    controller.enable(Line::VirtualTimer);
    pending_here() = 1u << 3;
    controller.dispatch();
    LONGS_EQUAL(0, local.at(0x40 + 4 * cpu::current().id));
    CHECK(controller.unhandled() >= 1);
}
