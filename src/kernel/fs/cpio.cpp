// Headers of 110 bytes: a magic and thirteen numbers of eight hexadecimal digits, then name and data, each padded to 4.
#include "kernel/fs/cpio.h"

namespace {

constexpr size_t header_size = 110;
constexpr std::string_view magic = "070701";
constexpr std::string_view trailer = "TRAILER!!!";
constexpr size_t longest_name_field = 64 * 1024;    // names may be padded with NULs, to align the data

// The numbers of a header, in order.
enum Field { Inode, Mode, Uid, Gid, Links, Modified, FileSize, DevMajor, DevMinor, RMajor, RMinor, NameSize, Check, FieldCount };

bool parse_hex(const uint8_t* digits, uint32_t& value) {
    value = 0;
    for (unsigned i = 0; i < 8; ++i) {
        uint8_t c = digits[i];
        uint32_t digit = 0;
        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10u;
        } else if (c >= 'A' && c <= 'F') {
            digit = c - 'A' + 10u;
        } else {
            return false;
        }
        value = value << 4 | digit;
    }
    return true;
}

constexpr size_t pad4(size_t n) { return (n + 3) & ~size_t{3}; }

std::string_view without_leading(std::string_view name) {
    while (name.starts_with("./") || name.starts_with("/")) {
        name.remove_prefix(name[0] == '/' ? 1 : 2);
    }
    return name;
}

}  // namespace

bool CpioReader::parse_header(CpioEntry& entry, uint32_t& name_size, uint32_t& file_size) {
    if (archive_.size() - at_ < header_size) {
        return fail("the archive ends inside a header");
    }
    const uint8_t* header = archive_.data() + at_;
    if (std::string_view(reinterpret_cast<const char*>(header), magic.size()) != magic) {
        return fail("no header of the newc form where one should be");
    }
    uint32_t fields[FieldCount];
    for (unsigned i = 0; i < FieldCount; ++i) {
        if (!parse_hex(header + magic.size() + i * 8, fields[i])) {
            return fail("a number of the header is not hexadecimal");
        }
    }
    entry.inode = fields[Inode];
    entry.mode = fields[Mode];
    entry.uid = fields[Uid];
    entry.gid = fields[Gid];
    entry.links = fields[Links];
    entry.modified = fields[Modified];
    entry.device_major = fields[RMajor];
    entry.device_minor = fields[RMinor];
    name_size = fields[NameSize];
    file_size = fields[FileSize];
    return true;
}

bool CpioReader::next(CpioEntry& entry) {
    if (problem_.what != nullptr || finished_) {
        return false;
    }
    problem_.offset = at_;
    entry = {};
    entry.offset = at_;
    uint32_t name_size = 0, file_size = 0;
    if (!parse_header(entry, name_size, file_size)) {
        return false;
    }
    if (name_size == 0 || name_size > longest_name_field) {
        return fail("the length of a name is out of bounds");
    }
    size_t left = archive_.size() - at_ - header_size;
    if (name_size > left) {
        return fail("the archive ends inside a name");
    }
    const char* name = reinterpret_cast<const char*>(archive_.data() + at_ + header_size);
    if (name[name_size - 1] != '\0') {
        return fail("a name does not end with a NUL");
    }
    problem_.name = std::string_view(name);
    entry.name = without_leading(problem_.name);
    if (problem_.name == trailer) {
        finished_ = true;
        return false;
    }
    size_t data = at_ + pad4(header_size + name_size);
    if (data > archive_.size() || file_size > archive_.size() - data) {
        return fail("the archive ends inside the data of a file");
    }
    entry.data = archive_.subspan(data, file_size);
    at_ = pad4(data + file_size);
    if (at_ > archive_.size()) {
        at_ = archive_.size();
    }
    return true;
}
