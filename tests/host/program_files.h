// Files of a test: text, and programs that exec loads.
#pragma once

#include <string_view>

#include "base/types.h"
#include "kernel/fs/vnode.h"

namespace host {

inline constexpr UserAddr program_entry{0x40'0100};
struct ProgramOptions {
    uint32_t mode = 0755;
    Uid uid = root_uid;
    Gid gid = 0;
    UserAddr entry = program_entry;     // in the same page
};
// A file with that content, in a directory that exists. A program of text, data that the file fills in part, and nothing
// more.
void add_file(std::string_view path, std::string_view content, const ProgramOptions& options = {});
void add_program(std::string_view path, const ProgramOptions& options = {});

}  // namespace host
