// The text that outlives a reset.
#include "drivers/crash_log.h"

#include "machine/rpi3/dma.h"

// FNV-1a: any change of any byte changes it.
static uint64_t checksum_of(std::string_view text) {
    uint64_t sum = 0xcbf2'9ce4'8422'2325;
    for (char c : text) {
        sum = (sum ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
    }
    return sum;
}

std::string_view CrashLog::left() const {
    if (memory_ == nullptr || memory_->magic != right_magic || memory_->length == 0 || memory_->length > sizeof memory_->text) {
        return {};
    }
    const std::string_view text(memory_->text, memory_->length);
    return checksum_of(text) == memory_->checksum ? text : std::string_view{};
}

void CrashLog::forget() {
    if (memory_ != nullptr) {
        memory_->magic = 0;
        clean(0);
    }
}

void CrashLog::add(std::string_view text) {
    if (memory_ == nullptr) {
        return;
    }
    memory_->magic = 0;     // until keep()
    const size_t taken = text.copy(memory_->text + length_, sizeof memory_->text - length_);
    length_ += taken;
}

void CrashLog::keep() {
    if (memory_ == nullptr || length_ == 0) {
        return;
    }
    memory_->length = length_;
    memory_->checksum = checksum_of({memory_->text, length_});
    memory_->magic = right_magic;
    clean(length_);
}

void CrashLog::clean(size_t text_bytes) const { dma::clean_and_invalidate(memory_, offsetof(Memory, text) + text_bytes); }
