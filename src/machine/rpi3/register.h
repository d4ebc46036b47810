// One 32-bit device register: a word that is read and written whole, never merged, never cached.
//
// A register block is a struct of these, laid over the device's addresses; its comment cites the manual. Fields
// inside a word are BitFields (base/bits.h). Tests lay the same struct over plain memory.
#pragma once

#include <cstdint>

class Register {
public:
    uint32_t read() const { return word_; }
    void write(uint32_t word) { word_ = word; }

private:
    volatile uint32_t word_;
};

class ReadOnlyRegister {
public:
    uint32_t read() const { return word_; }

private:
    volatile uint32_t word_;
};

class WriteOnlyRegister {
public:
    void write(uint32_t word) { word_ = word; }

private:
    volatile uint32_t word_;
};
static_assert(sizeof(Register) == 4 && sizeof(ReadOnlyRegister) == 4 && sizeof(WriteOnlyRegister) == 4);
