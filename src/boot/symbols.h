// The kernel's own symbol table: which function and source line an address belongs to.
//
// tools/mksymbols.py makes it from the linked kernel (two links; the code does not move between
// them) and it lies in section `.symbols`, which kernel.ld must place behind `.text`:
//
//     .symbols : ALIGN(8) { KEEP(*(.symbols)) }
//
// It is read-only, has no pointers, and looking something up takes no lock and no memory, so a
// panic on any core may use it. Layout, everything little-endian, offsets from the table's start:
//
//     SymbolTable                             the header below
//     SymbolFunction[function_count + 1]      sorted by address; the last one marks the end of the code
//     uint32_t[file_count]                    offset of each file's name
//     char[]                                  names, NUL-terminated: "Zone::allocate", "src/mm/zone.cpp"
//     uint8_t[]                               line rows
//
// The rows of function i are the bytes from its `rows` to that of function i + 1. A row says that
// from here on the code belongs to another line:
//
//     varint   step * 2 + file_changes        step: instructions since the previous row (first: since the function's start)
//     varint   index of the file              only if file_changes; the first row always has it
//     varint   zigzag(line - previous line)   the line starts at 0 in each function; line 0 means "not known"
//
// varint: seven bits a byte, lowest first, top bit set on all but the last. zigzag: 0, -1, 1, -2 are 0, 1, 2, 3.
#pragma once

#include <cstdint>

struct SymbolTable {
    uint32_t magic;             // symbol_magic; anything else: no table
    uint32_t size;              // of the whole table in bytes
    uint64_t base;              // link address that SymbolFunction::address counts from
    uint32_t function_count, functions;
    uint32_t file_count, files;
    uint32_t names, rows;
    uint32_t reserved[2];
};
static_assert(sizeof(SymbolTable) == 48);

struct SymbolFunction {
    uint32_t address;           // offset from SymbolTable::base
    uint32_t name;              // offset from SymbolTable::names
    uint32_t rows;              // offset from SymbolTable::rows
};
static_assert(sizeof(SymbolFunction) == 12);

inline constexpr uint32_t symbol_magic = 0x4d59'5346;     // "FSYM"

struct SymbolPlace {
    const char* function;       // null: the address is not in the kernel's code
    uint32_t offset;            // from the function's start
    const char* file;           // null: no line is known
    uint32_t line;
};

// The place of `address` (a link address, as a running kernel's pc is). For a return address ask for
// `address - 4`, the call itself. Any value may be passed.
SymbolPlace find_symbol(uint64_t address);
