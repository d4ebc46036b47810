// Boards by revision code.
#include "drivers/board.h"

#include <cstddef>

namespace {

struct Model {
    uint32_t type;
    std::string_view name;
    LedWiring led;
};

constexpr Model models[] = {
    {0x04, "Raspberry Pi 2 Model B", LedWiring::None},          // revision 1.2 has a BCM2837
    {0x08, "Raspberry Pi 3 Model B", LedWiring::Expander130},
    {0x0a, "Raspberry Pi Compute Module 3", LedWiring::None},
    {0x0d, "Raspberry Pi 3 Model B+", LedWiring::Gpio29},
    {0x0e, "Raspberry Pi 3 Model A+", LedWiring::Gpio29},
    {0x10, "Raspberry Pi Compute Module 3+", LedWiring::None},
    {0x12, "Raspberry Pi Zero 2 W", LedWiring::Gpio29Low},
};

constexpr std::string_view processors[] = {"BCM2835", "BCM2836", "BCM2837", "BCM2711", "BCM2712"};

const Model* model_of(RevisionCode revision) {
    if (revision.new_style()) {
        for (const Model& model : models) {
            if (model.type == RevisionCode::Type::get(revision.word)) {
                return &model;
            }
        }
    }
    return nullptr;
}

}  // namespace

std::string_view RevisionCode::model() const {
    const Model* model = model_of(*this);
    return model != nullptr ? model->name : "unknown board";
}

std::string_view RevisionCode::processor() const {
    const uint32_t index = Processor::get(word);
    return new_style() && index < sizeof(processors) / sizeof(processors[0]) ? processors[index] : "unknown processor";
}

uint32_t RevisionCode::memory_mebibytes() const {
    return new_style() ? 256u << Memory::get(word) : 0;
}

LedWiring activity_led(RevisionCode revision) {
    const Model* model = model_of(revision);
    return model != nullptr ? model->led : LedWiring::None;
}

BoardInfo identify_board(Mailbox& mailbox) {
    BoardInfo info;
    if (property::BoardRevision tag; mailbox.call(tag).ok()) {
        info.revision.word = tag.revision;
    }
    if (property::BoardSerial tag; mailbox.call(tag).ok()) {
        info.serial = uint64_t{tag.high} << 32 | tag.low;
    }
    if (property::FirmwareRevision tag; mailbox.call(tag).ok()) {
        info.firmware = tag.revision;
    }
    if (property::MacAddress tag; mailbox.call(tag).ok()) {
        for (size_t i = 0; i < sizeof(info.mac); ++i) {
            info.mac[i] = tag.bytes[i];
        }
    }
    if (property::ArmMemory tag; mailbox.call(tag).ok()) {
        info.memory_start = PhysAddr(tag.base);
        info.memory_end = info.memory_start + tag.bytes;
    }
    info.arm_hertz = mailbox.clock_rate(property::Clock::Arm).value_or(0);
    info.core_hertz = mailbox.clock_rate(property::Clock::Core).value_or(0);
    info.uart_hertz = mailbox.clock_rate(property::Clock::Uart).value_or(0);
    return info;
}

void ActivityLed::start(LedWiring wiring, Gpio& gpio, Mailbox& mailbox) {
    gpio_ = &gpio;
    mailbox_ = &mailbox;
    wiring_ = wiring;
    if (wiring == LedWiring::Gpio29 || wiring == LedWiring::Gpio29Low) {
        gpio.set_function(29, Gpio::Function::Output);
    }
    set(false);
}

void ActivityLed::set(bool lit) {
    switch (wiring_) {
    case LedWiring::None:
        break;
    case LedWiring::Gpio29:
        gpio_->write(29, lit);
        break;
    case LedWiring::Gpio29Low:
        gpio_->write(29, !lit);
        break;
    case LedWiring::Expander130: {
        property::SetExpanderPin tag{.pin = 130, .high = lit};
        // A light that stays dark is no reason to fail.
        static_cast<void>(mailbox_->call(tag).ok());
        break;
    }
    }
}
