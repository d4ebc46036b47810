// The ELF loader believes nothing that the file says.
#include "kernel/proc/elf.h"

#include "kernel/log.h"

namespace {

struct ElfHeader {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_offset, section_offset;
    uint32_t flags;
    uint16_t header_size, program_entry_size, program_count, section_entry_size, section_count, section_names;
};
static_assert(sizeof(ElfHeader) == 64);

struct ProgramHeader {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};
static_assert(sizeof(ProgramHeader) == 56);

constexpr uint16_t type_executable = 2;
constexpr uint16_t machine_aarch64 = 183;
constexpr uint32_t segment_load = 1;
constexpr uint32_t segment_interpreter = 3;
constexpr uint32_t flag_execute = 1, flag_write = 2, flag_read = 4;
constexpr unsigned most_headers = 16;

Error corrupt(const char* what) {
    log_of_program("exec: not a program that runs here: {}", what);
    return Error::NotExecutable;
}

// The text of what is wrong with the header, or nullptr.
const char* header_fault(const ElfHeader& header) {
    static constexpr uint8_t magic[] = {0x7f, 'E', 'L', 'F'};
    if (memcmp(header.ident, magic, sizeof magic) != 0) {
        return "no ELF magic";
    }
    if (header.ident[4] != 2 || header.ident[5] != 1) {
        return "not 64-bit little-endian";
    }
    if (header.machine != machine_aarch64) {
        return "not for AArch64";
    }
    if (header.type != type_executable) {
        return "not a static executable (link with -static -no-pie)";
    }
    if (header.program_entry_size != sizeof(ProgramHeader) || header.program_count == 0 ||
        header.program_count > most_headers) {
        return "its program headers make no sense";
    }
    return nullptr;
}

const char* segment_fault(const ProgramHeader& segment, uint64_t file_size) {
    if (segment.offset > file_size || segment.file_bytes > file_size - segment.offset) {
        return "a segment lies beyond the end of the file";
    }
    if (segment.file_bytes > segment.memory_bytes) {
        return "a segment is larger in the file than in memory";
    }
    if (segment.offset % page_size != segment.address % page_size) {
        return "a segment's address and offset disagree within a page";
    }
    if (segment.address < AddressSpace::lowest.value || segment.address >= AddressSpace::mappings_end.value ||
        segment.memory_bytes > AddressSpace::mappings_end.value - segment.address) {
        return "a segment lies outside the memory for programs";
    }
    if ((segment.flags & flag_write) != 0 && (segment.flags & flag_execute) != 0) {
        return "a segment is both writable and executable";
    }
    return nullptr;
}

Protection protection_of(uint32_t flags) {
    return {(flags & flag_read) != 0, (flags & flag_write) != 0, (flags & flag_execute) != 0};
}

// Pages of the file where it has bytes, zero pages behind. The page in which the file ends is cleared from there on.
Result<> load_segment(Vnode& file, AddressSpace& space, const ProgramHeader& segment) {
    UserAddr start = UserAddr(segment.address).page_down();
    UserAddr file_end(segment.address + segment.file_bytes);
    UserAddr end = UserAddr(segment.address + segment.memory_bytes).page_up();
    Protection protection = protection_of(segment.flags);
    UserAddr zero_from = start;
    if (segment.file_bytes != 0) {
        zero_from = file_end.page_up();
        TRY(space.map_source(start, zero_from - start, protection, file, (segment.offset - segment.address % page_size) / page_size,
                             {.fixed = true}));
        if (segment.memory_bytes > segment.file_bytes && zero_from != file_end) {
            TRY(space.clear(file_end, zero_from - file_end, true));
        }
    }
    if (zero_from < end) {
        TRY(space.map(zero_from, end - zero_from, protection, {.fixed = true}));
    }
    return {};
}

}  // namespace

Result<ProgramImage> elf_load(Vnode& file, AddressSpace& space) {
    ElfHeader header{};
    if (TRY(file.read_kernel(0, &header, sizeof header)) != sizeof header) {
        return corrupt("shorter than an ELF header");
    }
    if (const char* fault = header_fault(header)) {
        return corrupt(fault);
    }
    ProgramHeader segments[most_headers];
    size_t bytes = header.program_count * sizeof(ProgramHeader);
    if (TRY(file.read_kernel(header.program_offset, segments, bytes)) != bytes) {
        return corrupt("its program headers lie beyond the end of the file");
    }
    ProgramImage image{.entry = UserAddr(header.entry), .headers = UserAddr(0), .header_count = header.program_count, .heap = AddressSpace::lowest};
    bool entry_is_executable = false;
    for (unsigned i = 0; i < header.program_count; ++i) {
        const ProgramHeader& segment = segments[i];
        if (segment.type == segment_interpreter) {
            return corrupt("it wants a dynamic linker (link with -static)");
        }
        if (segment.type != segment_load || segment.memory_bytes == 0) {
            continue;
        }
        if (const char* fault = segment_fault(segment, file.size())) {
            return corrupt(fault);
        }
        TRY(load_segment(file, space, segment));
        UserAddr end = UserAddr(segment.address + segment.memory_bytes).page_up();
        image.heap = image.heap < end ? end : image.heap;
        entry_is_executable |= (segment.flags & flag_execute) != 0 && header.entry - segment.address < segment.memory_bytes;
        if (header.program_offset - segment.offset < segment.file_bytes) {
            image.headers = UserAddr(segment.address + (header.program_offset - segment.offset));
        }
    }
    if (!entry_is_executable) {
        return corrupt("its entry lies in no executable segment");
    }
    return image;
}
