// Reader of a flattened device tree (Devicetree Specification v0.4, chapter 5): what the loader tells about the machine.
//
// The bytes come from outside: open() checks the whole tree once and says in words what is wrong; every later access is
// bounds-checked again. Nothing is copied: the tree must stay in memory, and texts point into it.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/types.h"

class DeviceTree {
public:
    struct Range {
        PhysAddr start, end;
        bool empty() const { return end <= start; }
    };
    // A node, by the offset of what follows its name. Made by this class only.
    struct Node {
        uint32_t offset = 0;
        bool valid() const { return offset != 0; }
    };
    struct Property {
        const uint8_t* bytes = nullptr;
        uint32_t size = 0;
        bool valid() const { return bytes != nullptr; }
        std::string_view text() const;          // up to the first NUL
        uint64_t number() const;                // one or two cells; 0 otherwise
        uint64_t cells(uint32_t first, uint32_t count) const;   // big-endian 32-bit words; 0 beyond the end
    };

    // True if the first bytes claim to be a device tree. Reads eight bytes.
    static bool claims(const void* start);
    // Reads the tree at `start`, of which `room` bytes may be read. nullptr: all is well. Otherwise what is wrong,
    // and the tree must not be used.
    static const char* open(const void* start, size_t room, DeviceTree& tree);

    uint32_t size() const { return size_; }     // bytes, all of it

    // Nodes. A name without "@address" also finds the node that has one.
    Node root() const;
    Node child(Node parent, std::string_view name) const;
    Node first_child(Node parent) const;
    Node next_sibling(Node node) const;
    std::string_view name(Node node) const;
    Node find(std::string_view path) const;     // "/chosen"
    Property property(Node node, std::string_view name) const;

    // What the kernel asks for. Empty texts and ranges, and 0, if the tree does not say.
    std::string_view model() const;
    std::string_view boot_arguments() const;
    Range initrd() const;
    uint64_t release_address(unsigned core) const;      // of the spin table
    // Each fills at most `capacity` ranges and returns how many there are of the kind; some may be empty.
    size_t memory(Range* ranges, size_t capacity) const;
    size_t reserved(Range* ranges, size_t capacity) const;  // the reservation block and /reserved-memory

private:
    enum class Token : uint32_t { BeginNode = 1, EndNode = 2, Property = 3, Nothing = 4, End = 9 };
    struct Step {
        Token token = Token::End;
        uint32_t offset = 0;        // of the token
        uint32_t next = 0;          // of the one after it
        const char* problem = nullptr;
        std::string_view name{};
        Property value{};
    };

    uint32_t word(uint64_t offset) const;       // 0 beyond the end
    Step step(uint32_t offset) const;           // of the structure block
    std::string_view text_at(uint64_t offset, uint64_t end, bool& terminated) const;
    const char* check_header(size_t room);
    const char* check_structure() const;
    uint32_t cell_count(Node node, std::string_view name, uint32_t otherwise) const;
    size_t add_ranges(Node node, Node parent, Range* ranges, size_t capacity, size_t used) const;

    const uint8_t* bytes_ = nullptr;
    uint32_t size_ = 0;
    uint32_t structure_ = 0, structure_end_ = 0;
    uint32_t strings_ = 0, strings_end_ = 0;
    uint32_t reservations_ = 0;
};
