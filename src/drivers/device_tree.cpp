// Reading a flattened device tree.
#include "drivers/device_tree.h"

namespace {

// The header's words (5.2).
enum HeaderWord : uint32_t {
    Magic = 0, TotalSize = 4, StructureOffset = 8, StringsOffset = 12, ReservationsOffset = 16,
    LastCompatible = 24, StringsSize = 32, StructureSize = 36, HeaderSize = 40,
};
constexpr uint32_t magic = 0xd00d'feed;
constexpr uint32_t smallest_size = HeaderSize, largest_size = 2 << 20;
constexpr unsigned deepest = 32;

uint32_t big_endian(const uint8_t* at) {
    return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

// "memory@0" answers to "memory" and to itself.
bool answers_to(std::string_view node, std::string_view wanted) {
    return node == wanted || (node.size() > wanted.size() && node.substr(0, wanted.size()) == wanted &&
                              node[wanted.size()] == '@' && wanted.find('@') == std::string_view::npos);
}

}  // namespace

std::string_view DeviceTree::Property::text() const {
    std::string_view all(reinterpret_cast<const char*>(bytes), size);
    const size_t nul = all.find('\0');
    return nul == std::string_view::npos ? all : all.substr(0, nul);
}

uint64_t DeviceTree::Property::cells(uint32_t first, uint32_t count) const {
    uint64_t value = 0;
    for (uint32_t i = first; i < first + count; ++i) {
        if (uint64_t{i} * 4 + 4 > size) {
            return 0;
        }
        value = value << 32 | big_endian(bytes + i * 4);
    }
    return value;
}

uint64_t DeviceTree::Property::number() const {
    return size == 4 ? cells(0, 1) : size == 8 ? cells(0, 2) : 0;
}

bool DeviceTree::claims(const void* start) { return big_endian(static_cast<const uint8_t*>(start)) == magic; }

const char* DeviceTree::open(const void* start, size_t room, DeviceTree& tree) {
    tree = {};
    tree.bytes_ = static_cast<const uint8_t*>(start);
    const char* problem = tree.check_header(room);
    if (problem == nullptr) {
        problem = tree.check_structure();
    }
    if (problem != nullptr) {
        tree = {};
    }
    return problem;
}

const char* DeviceTree::check_header(size_t room) {
    if (room < HeaderSize) return "there is no room for the header";
    size_ = HeaderSize;     // what word() may read for now
    if (word(Magic) != magic) return "the magic number is not d00dfeed";
    const uint32_t total = word(TotalSize);
    if (total < smallest_size || total > largest_size) return "the total size is not between 40 bytes and 2 MiB";
    if (total > room) return "it is longer than the memory it lies in";
    if (word(LastCompatible) > 17) return "its format is newer than version 17";
    const uint32_t structure = word(StructureOffset), structure_size = word(StructureSize);
    const uint32_t strings = word(StringsOffset), strings_size = word(StringsSize);
    const uint32_t reservations = word(ReservationsOffset);
    size_ = total;
    if (structure % 4 != 0 || structure < HeaderSize) return "the structure block's offset is wrong";
    if (uint64_t{structure} + structure_size > total) return "the structure block reaches beyond the end";
    if (uint64_t{strings} + strings_size > total) return "the strings block reaches beyond the end";
    if (reservations % 4 != 0 || reservations < HeaderSize || reservations > total) {
        return "the memory reservation block's offset is wrong";
    }
    structure_ = structure;
    structure_end_ = structure + structure_size;
    strings_ = strings;
    strings_end_ = strings + strings_size;
    reservations_ = reservations;
    return nullptr;
}

const char* DeviceTree::check_structure() const {
    unsigned depth = 0;
    bool root_seen = false;
    for (uint32_t at = structure_;;) {
        const Step here = step(at);
        if (here.problem != nullptr) return here.problem;
        at = here.next;
        switch (here.token) {
        case Token::BeginNode:
            if (depth == 0 && root_seen) return "there are two root nodes";
            root_seen = true;
            if (++depth > deepest) return "nodes are nested deeper than 32";
            break;
        case Token::EndNode:
            if (depth == 0) return "a node ends that never began";
            --depth;
            break;
        case Token::Property:
            if (depth == 0) return "a property lies outside all nodes";
            break;
        case Token::Nothing:
            break;
        case Token::End:
            if (depth != 0) return "the structure block ends inside a node";
            if (!root_seen) return "there is no root node";
            return nullptr;
        }
    }
}

uint32_t DeviceTree::word(uint64_t offset) const { return offset + 4 <= size_ ? big_endian(bytes_ + offset) : 0; }

std::string_view DeviceTree::text_at(uint64_t offset, uint64_t end, bool& terminated) const {
    terminated = false;
    if (offset >= end || end > size_) {
        return {};
    }
    const std::string_view rest(reinterpret_cast<const char*>(bytes_) + offset, end - offset);
    const size_t nul = rest.find('\0');
    terminated = nul != std::string_view::npos;
    return terminated ? rest.substr(0, nul) : std::string_view{};
}

// The token at `offset`; a problem leaves the token at End, so that every walk stops.
DeviceTree::Step DeviceTree::step(uint32_t offset) const {
    Step result{.offset = offset, .next = offset};
    if (offset < structure_ || uint64_t{offset} + 4 > structure_end_) {
        result.problem = "the structure block has no end token";
        return result;
    }
    const auto round_up = [](uint64_t value) { return (value + 3) & ~uint64_t{3}; };
    const auto token = static_cast<Token>(word(offset));
    uint64_t next = uint64_t{offset} + 4;
    bool terminated = true;
    switch (token) {
    case Token::BeginNode:
        result.name = text_at(next, structure_end_, terminated);
        if (!terminated) {
            result.problem = "a node's name has no end";
            return result;
        }
        next = round_up(next + result.name.size() + 1);
        break;
    case Token::Property: {
        const uint32_t size = word(next), name = word(next + 4);
        next += 8;
        if (next > structure_end_ || size > structure_end_ - next) {
            result.problem = "a property reaches beyond the structure block";
            return result;
        }
        result.name = text_at(uint64_t{strings_} + name, strings_end_, terminated);
        if (!terminated) {
            result.problem = "a property's name is not in the strings block";
            return result;
        }
        result.value = {bytes_ + next, size};
        next = round_up(next + size);
        break;
    }
    case Token::EndNode:
    case Token::Nothing:
    case Token::End:
        break;
    default:
        result.problem = "there is an unknown token in the structure block";
        return result;
    }
    result.token = token;
    result.next = static_cast<uint32_t>(next);
    return result;
}

DeviceTree::Node DeviceTree::root() const {
    Step here = step(structure_);
    while (here.token == Token::Nothing) {
        here = step(here.next);
    }
    return here.token == Token::BeginNode ? Node{here.next} : Node{};
}

DeviceTree::Node DeviceTree::first_child(Node parent) const {
    if (!parent.valid()) {
        return {};
    }
    Step here = step(parent.offset);
    while (here.token == Token::Property || here.token == Token::Nothing) {
        here = step(here.next);
    }
    return here.token == Token::BeginNode ? Node{here.next} : Node{};
}

DeviceTree::Node DeviceTree::next_sibling(Node node) const {
    if (!node.valid()) {
        return {};
    }
    uint32_t at = node.offset;
    for (unsigned depth = 1; depth != 0;) {         // out of this node
        const Step here = step(at);
        if (here.token == Token::End) {
            return {};
        }
        depth += here.token == Token::BeginNode;
        depth -= here.token == Token::EndNode;
        at = here.next;
    }
    Step here = step(at);
    while (here.token == Token::Nothing) {
        here = step(here.next);
    }
    return here.token == Token::BeginNode ? Node{here.next} : Node{};
}

std::string_view DeviceTree::name(Node node) const {
    // The name ends, with up to four NULs, where the node's offset points; go back to the token before it.
    for (uint32_t at = node.offset; at >= structure_ + 4; at -= 4) {
        const Step here = step(at - 4);
        if (here.token == Token::BeginNode && here.next == node.offset) {
            return here.name;
        }
    }
    return {};
}

DeviceTree::Node DeviceTree::child(Node parent, std::string_view wanted) const {
    for (Node node = first_child(parent); node.valid(); node = next_sibling(node)) {
        if (answers_to(name(node), wanted)) {
            return node;
        }
    }
    return {};
}

DeviceTree::Node DeviceTree::find(std::string_view path) const {
    Node node = root();
    while (node.valid() && !path.empty()) {
        path.remove_prefix(path.front() == '/');
        const size_t length = path.find('/') == std::string_view::npos ? path.size() : path.find('/');
        if (length != 0) {
            node = child(node, path.substr(0, length));
        }
        path.remove_prefix(length);
    }
    return node;
}

DeviceTree::Property DeviceTree::property(Node node, std::string_view wanted) const {
    if (!node.valid()) {
        return {};
    }
    Step here = step(node.offset);
    while (here.token == Token::Property || here.token == Token::Nothing) {
        if (here.token == Token::Property && here.name == wanted) {
            return here.value;
        }
        here = step(here.next);
    }
    return {};
}

std::string_view DeviceTree::model() const { return property(root(), "model").text(); }

std::string_view DeviceTree::boot_arguments() const { return property(find("/chosen"), "bootargs").text(); }

DeviceTree::Range DeviceTree::initrd() const {
    const Node chosen = find("/chosen");
    return {PhysAddr(property(chosen, "linux,initrd-start").number()),
            PhysAddr(property(chosen, "linux,initrd-end").number())};
}

uint64_t DeviceTree::release_address(unsigned core) const {
    for (Node node = first_child(find("/cpus")); node.valid(); node = next_sibling(node)) {
        const Property identity = property(node, "reg");
        if (answers_to(name(node), "cpu") && identity.valid() && identity.number() == core) {
            return property(node, "cpu-release-addr").number();
        }
    }
    return 0;
}

uint32_t DeviceTree::cell_count(Node node, std::string_view wanted, uint32_t otherwise) const {
    const Property value = property(node, wanted);
    const uint64_t count = value.valid() ? value.number() : otherwise;
    return count <= 2 ? static_cast<uint32_t>(count) : 2;
}

// The pairs of address and size in `reg` of `node`, as its parent says how wide they are.
size_t DeviceTree::add_ranges(Node node, Node parent, Range* ranges, size_t capacity, size_t used) const {
    const Property reg = property(node, "reg");
    const uint32_t address_cells = cell_count(parent, "#address-cells", 2);
    const uint32_t size_cells = cell_count(parent, "#size-cells", 1);
    const uint32_t width = address_cells + size_cells;
    for (uint32_t i = 0; width != 0 && reg.valid() && (uint64_t{i} + width) * 4 <= reg.size; i += width) {
        const uint64_t start = reg.cells(i, address_cells), bytes = reg.cells(i + address_cells, size_cells);
        if (used < capacity) {
            ranges[used] = {PhysAddr(start), PhysAddr(start + bytes < start ? start : start + bytes)};
        }
        ++used;
    }
    return used;
}

size_t DeviceTree::memory(Range* ranges, size_t capacity) const {
    size_t used = 0;
    for (Node node = first_child(root()); node.valid(); node = next_sibling(node)) {
        if (answers_to(name(node), "memory")) {
            used = add_ranges(node, root(), ranges, capacity, used);
        }
    }
    return used;
}

size_t DeviceTree::reserved(Range* ranges, size_t capacity) const {
    size_t used = 0;
    for (uint64_t at = reservations_; at + 16 <= size_; at += 16) {      // 5.3: pairs of 64 bits, zeros end them
        const uint64_t start = uint64_t{word(at)} << 32 | word(at + 4);
        const uint64_t bytes = uint64_t{word(at + 8)} << 32 | word(at + 12);
        if (start == 0 && bytes == 0) {
            break;
        }
        if (used < capacity) {
            ranges[used] = {PhysAddr(start), PhysAddr(start + bytes < start ? start : start + bytes)};
        }
        ++used;
    }
    const Node parent = find("/reserved-memory");
    for (Node node = first_child(parent); node.valid(); node = next_sibling(node)) {
        used = add_ranges(node, parent, ranges, capacity, used);
    }
    return used;
}
