// The board as its firmware tells of it, and its green light: what is driven on which board, the heartbeat, and the code of a crash.
// The test plays the firmware, in the calls of the seam around a message.
#include "boot/light.h"

#include <map>
#include <string>
#include <vector>

#include "drivers/devices.h"
#include "kernel/boot_arguments.h"
#include "machine/clock.h"
#include "machine/device.h"
#include "machine/host.h"
#include "unit/support.h"

namespace {

using Call = host::MmuCall;
using Kind = Call::Kind;

constexpr uint32_t model_3b = 0xa02082, model_3b_plus = 0xa020d3, model_3a_plus = 0x9020e0, zero_2_w = 0x902120, compute_module = 0xa020a0;
constexpr unsigned light_pin = 29;
constexpr Nanoseconds millisecond = nanoseconds_per_second / 1000;

// What the firmware answers, by tag; it does not know others. Plain memory does for the registers of the mailbox and of the pins.
struct Firmware {
    static constexpr size_t read = 0x00 / 4, write = 0x20 / 4;      // of the mailbox
    static constexpr size_t set = 0x1c / 4, clear = 0x28 / 4;       // of the pins, the first word each

    alignas(MailboxRegisters) uint32_t mailbox[sizeof(MailboxRegisters) / 4] = {};
    alignas(GpioRegisters) uint32_t pins[sizeof(GpioRegisters) / 4] = {};
    std::map<uint32_t, std::vector<uint32_t>> answers;
    std::map<uint32_t, uint32_t> hertz;                     // of each clock
    std::map<uint32_t, std::vector<uint32_t>> asked;        // the last question of each tag
    bool asking = false;

    void hear(const Call& call) {
        if (call.kind != Kind::DataCleaned) {
            return;
        }
        auto& message = *reinterpret_cast<property::Message*>(call.address);
        asking = !asking;
        if (asking) {
            mailbox[read] = static_cast<uint32_t>(call.address & 0x3fff'ffff) | 0xc000'0008;
            return;
        }
        CHECK_EQUAL(mailbox[read], mailbox[write]);
        const uint32_t tag = message.words[2];
        asked[tag].assign(&message.words[5], &message.words[5] + message.words[3] / 4);
        message.words[1] = 0x8000'0000;
        if (const uint32_t clock = message.words[5]; tag == property::GetClockRate::tag && hertz.contains(clock)) {
            message.words[4] = 0x8000'0008;
            message.words[6] = hertz[clock];
        }
        if (auto known = answers.find(tag); known != answers.end()) {
            message.words[4] = 0x8000'0000 | static_cast<uint32_t>(known->second.size() * 4);
            for (size_t i = 0; i < known->second.size(); ++i) {
                message.words[5 + i] = known->second[i];
            }
        }
    }
};

}  // namespace

TEST_GROUP(Light) {
    Firmware firmware;
    const size_t began_with = host::started.size();

    void setup() override {
        host::mmu_observe = [this](const Call& call) { firmware.hear(call); };
        devices::gpio.start(*reinterpret_cast<GpioRegisters*>(firmware.pins));
        devices::mailbox.start(*reinterpret_cast<MailboxRegisters*>(firmware.mailbox));
        boot_arguments.heartbeat = true;
    }
    void teardown() override {
        host::mmu_observe = nullptr;
        host::wait_observe = nullptr;
        boot_arguments.heartbeat = false;
        devices::led.start(LedWiring::None, devices::gpio, devices::mailbox);
    }

    void connect(uint32_t revision) { devices::led.start(activity_led(RevisionCode{revision}), devices::gpio, devices::mailbox); }
    // What was driven since the last look: the level of pin 29, or the expander's pin and level.
    std::string driven() {
        std::string said;
        CHECK_FALSE((firmware.pins[Firmware::set] | firmware.pins[Firmware::clear]) & ~(1u << light_pin));
        if (firmware.pins[Firmware::set] != 0) {
            said += "29 high";
        }
        if (firmware.pins[Firmware::clear] != 0) {
            said += "29 low";
        }
        if (std::vector<uint32_t>& order = firmware.asked[property::SetExpanderPin::tag]; !order.empty()) {
            said += "expander " + std::to_string(order[0]) + (order[1] != 0 ? " high" : " low");
            order.clear();
        }
        firmware.pins[Firmware::set] = firmware.pins[Firmware::clear] = 0;
        return said;
    }
    std::string driven_by(bool lit) {
        devices::led.set(lit);
        return driven();
    }
    Gpio::Function function() { return devices::gpio.function(light_pin); }
    // The code as somebody sees it who looks at the level of pin 29: "+150" is high for 150 milliseconds.
    std::string blinked(unsigned flashes) {
        std::string seen;
        host::wait_observe = [&](Nanoseconds time) {
            const std::string level = driven();
            seen += (level == "29 high" ? "+" : level == "29 low" ? "-" : "=") + std::to_string(time / millisecond) + " ";
        };
        blink_code(flashes);
        return seen;
    }
};

TEST(Light, of_the_3b_is_the_expanders_pin_130) {
    connect(model_3b);
    STRCMP_EQUAL("expander 130 low", driven().c_str());
    STRCMP_EQUAL("expander 130 high", driven_by(true).c_str());
    STRCMP_EQUAL("expander 130 low", driven_by(false).c_str());
    CHECK(function() == Gpio::Function::Input);     // on this board the pin is something else's
}

TEST(Light, of_the_3b_plus_and_the_3a_plus_is_pin_29) {
    for (uint32_t revision : {model_3b_plus, model_3a_plus}) {
        devices::gpio.set_function(light_pin, Gpio::Function::Input);
        connect(revision);
        CHECK(function() == Gpio::Function::Output);
        STRCMP_EQUAL("29 low", driven().c_str());
        STRCMP_EQUAL("29 high", driven_by(true).c_str());
        STRCMP_EQUAL("29 low", driven_by(false).c_str());
    }
}

TEST(Light, of_the_zero_2_w_is_lit_when_pin_29_is_low) {
    connect(zero_2_w);
    CHECK(function() == Gpio::Function::Output);
    STRCMP_EQUAL("29 high", driven().c_str());
    STRCMP_EQUAL("29 low", driven_by(true).c_str());
    STRCMP_EQUAL("29 high", driven_by(false).c_str());
}

TEST(Light, of_a_board_without_one_drives_nothing) {
    connect(compute_module);
    STRCMP_EQUAL("", driven_by(true).c_str());
    CHECK(function() == Gpio::Function::Input);
}

TEST(Light, flashes_three_times_the_code_of_a_crash) {
    connect(model_3b_plus);
    driven();
    std::string three, four;
    for (unsigned round = 0; round < 3; ++round) {
        three += "+150 -250 +150 -250 +150 -250 =1000 ";
        four += "+150 -250 +150 -250 +150 -250 +150 -250 =1000 ";
    }
    STRCMP_EQUAL(three.c_str(), blinked(flashes_of_panic).c_str());
    STRCMP_EQUAL(four.c_str(), blinked(flashes_of_exception).c_str());
}

TEST(Light, flashes_under_a_lock_that_nobody_will_give_back) {
    connect(model_3b);
    SpinLock inner{LockRank::Random, "of the crash"};
    InterruptGuard off;
    inner.acquire();
    blink_code(1);
    STRCMP_EQUAL("expander 130 low", driven().c_str());
    CHECK(cpu::current().held.innermost == nullptr);
}

TEST(Light, beats_once_a_second_by_a_thread_of_its_own) {
    connect(model_3b);
    driven();
    start_heartbeat();
    CHECK_EQUAL(began_with + 1, host::started.size());
    Thread& thread = *host::started.back();
    STRCMP_EQUAL("heartbeat", thread.name);
    const Nanoseconds begin = machine_clock::now();
    std::string seen;
    host::mmu_observe = [&](const Call& call) {
        firmware.hear(call);
        if (const std::string level = driven(); !level.empty()) {
            if (machine_clock::now() - begin > 2'000 * millisecond) {
                throw host::ThreadExited{};     // it has no end of its own
            }
            seen += std::to_string((machine_clock::now() - begin) / millisecond) + (level == "expander 130 high" ? "+ " : "- ");
        }
    };
    CHECK_THROWS(host::ThreadExited, thread.entry(thread.entry_argument));
    STRCMP_EQUAL("0+ 100- 1000+ 1100- 2000+ ", seen.c_str());
    host::started.pop_back();
    ZoneOwned<Thread>{thread};
}

TEST(Light, stays_dark_without_the_boot_argument) {
    connect(model_3b_plus);
    boot_arguments.heartbeat = false;
    start_heartbeat();
    CHECK_EQUAL(began_with, host::started.size());
    STRCMP_EQUAL("", blinked(flashes_of_panic).c_str());
}

TEST_GROUP(BoardInfo) {
    Firmware firmware;

    void setup() override {
        host::mmu_observe = [this](const Call& call) { firmware.hear(call); };
        devices::mailbox.start(*reinterpret_cast<MailboxRegisters*>(firmware.mailbox));
    }
    void teardown() override { host::mmu_observe = nullptr; }
};

TEST(BoardInfo, is_what_the_firmware_says) {
    firmware.answers = {{property::BoardRevision::tag, {zero_2_w}}, {property::BoardSerial::tag, {0x89ab'cdef, 0x1234'5678}},
                        {property::FirmwareRevision::tag, {1'700'000'000}}, {property::MacAddress::tag, {0x12eb'27b8, 0x5634}},
                        {property::ArmMemory::tag, {0, 448 << 20}}};
    firmware.hertz = {{2, 48'000'000}, {3, 1'000'000'000}, {4, 250'000'000}};
    const BoardInfo board = identify_board(devices::mailbox);
    CHECK(board.revision.model() == "Raspberry Pi Zero 2 W");
    CHECK(board.serial == 0x1234'5678'89ab'cdef);
    UNSIGNED_LONGS_EQUAL(1'700'000'000, board.firmware);
    const uint8_t mac[] = {0xb8, 0x27, 0xeb, 0x12, 0x34, 0x56};
    MEMCMP_EQUAL(mac, board.mac, sizeof mac);
    UNSIGNED_LONGS_EQUAL(0, board.memory_start.value);
    UNSIGNED_LONGS_EQUAL(448 << 20, board.memory_end.value);
    UNSIGNED_LONGS_EQUAL(48'000'000, board.uart_hertz);
    UNSIGNED_LONGS_EQUAL(1'000'000'000, board.arm_hertz);
    UNSIGNED_LONGS_EQUAL(250'000'000, board.core_hertz);
}

TEST(BoardInfo, of_a_silent_firmware_is_not_known) {
    const BoardInfo board = identify_board(devices::mailbox);
    CHECK(board.revision.model() == "unknown board");
    CHECK(board.memory_start == board.memory_end);
    UNSIGNED_LONGS_EQUAL(0, board.uart_hertz | board.arm_hertz | board.core_hertz);
}
