// Files that exec takes. See program_files.h.
#include "program_files.h"

#include <cstddef>

#include "kernel/fs/memory_file.h"
#include "kernel/fs/path.h"
#include "kernel/fs/root.h"

namespace host {

void add_file(std::string_view path, std::string_view content, const ProgramOptions& options) {
    constexpr Identity superuser{};
    auto file = MemoryFile::create({options.uid, options.gid}, options.mode).value();
    Transfer transfer{.buffer = IoBuffer(const_cast<char*>(content.data()), content.size())};
    const size_t written = file->write(transfer).value();
    ASSERT(written == content.size());
    file->change_mode(superuser, options.mode).value();      // writing took the set-id bits away
    LastComponent last = walk_to_parent({root_directory(), root_directory(), superuser}, path).value();
    last.directory().add(superuser, last.name, *file).value();
}

namespace {

// ELF64 (System V gABI, chapters 4 and 5), as little of it as a program needs.
struct Header {
    uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    uint16_t type = 2, machine = 183;
    uint32_t version = 1;
    uint64_t entry = program_entry.value, program_offset = 64, section_offset = 0;
    uint32_t flags = 0;
    uint16_t header_size = 64, program_entry_size = 56, program_count = 2, section_entry_size = 0, section_count = 0,
             section_names = 0;
};
struct Segment {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};
struct Image {
    Header header;
    Segment text{1, 5, 0, program_entry.page_down().value, 0, page_size, page_size, page_size};
    Segment data{1, 6, page_size, 0x50'0000, 0, 100, 3 * page_size, page_size};
    char filler[page_size - 64 - 2 * 56] = {};
    char initialised[100] = {'d', 'a', 't', 'a'};
};
static_assert(offsetof(Image, initialised) == page_size);

}  // namespace

void add_program(std::string_view path, const ProgramOptions& options) {
    Image image;
    image.header.entry = options.entry.value;
    add_file(path, {reinterpret_cast<const char*>(&image), offsetof(Image, initialised) + sizeof image.initialised}, options);
}

}  // namespace host
