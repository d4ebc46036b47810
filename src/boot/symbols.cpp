// Looks an address up in the symbol table that tools/mksymbols.py made. Format: symbols.h.
#include "boot/symbols.h"

extern "C" const SymbolTable symbol_table;

namespace {

const uint8_t* at(uint32_t offset) { return reinterpret_cast<const uint8_t*>(&symbol_table) + offset; }

uint32_t read_varint(const uint8_t*& next, const uint8_t* end) {
    uint32_t value = 0;
    for (int shift = 0; next < end && shift < 32; shift += 7) {
        const uint8_t byte = *next++;
        value |= static_cast<uint32_t>(byte & 0x7f) << shift;
        if (!(byte & 0x80)) break;
    }
    return value;
}

// The last function that starts at or before `offset`; function_count if there is none.
uint32_t find_function(const SymbolFunction* functions, uint32_t offset) {
    uint32_t low = 0, high = symbol_table.function_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (functions[middle].address <= offset) low = middle + 1;
        else high = middle;
    }
    return low == 0 ? symbol_table.function_count : low - 1;
}

void find_line(SymbolPlace& place, const SymbolFunction* function) {
    const uint8_t* next = at(symbol_table.rows + function[0].rows);
    const uint8_t* const end = at(symbol_table.rows + function[1].rows);
    const auto* files = reinterpret_cast<const uint32_t*>(at(symbol_table.files));
    uint32_t address = 0, file = 0, line = 0;
    while (next < end) {
        const uint32_t step = read_varint(next, end);
        if (step & 1) file = read_varint(next, end);
        const uint32_t change = read_varint(next, end);
        address += step / 2 * 4;
        if (address > place.offset) break;
        line += (change >> 1) ^ (0u - (change & 1));
        place.file = line && file < symbol_table.file_count ? reinterpret_cast<const char*>(at(files[file])) : nullptr;
        place.line = line;
    }
}

} // namespace

SymbolPlace find_symbol(uint64_t address) {
    SymbolPlace place{};
    if (symbol_table.magic != symbol_magic || address < symbol_table.base) return place;
    const uint64_t distance = address - symbol_table.base;
    const auto* functions = reinterpret_cast<const SymbolFunction*>(at(symbol_table.functions));
    if (distance >= functions[symbol_table.function_count].address) return place;
    const uint32_t index = find_function(functions, static_cast<uint32_t>(distance));
    if (index == symbol_table.function_count) return place;
    place.function = reinterpret_cast<const char*>(at(symbol_table.names + functions[index].name));
    place.offset = static_cast<uint32_t>(distance) - functions[index].address;
    find_line(place, &functions[index]);
    return place;
}
