// The file system that programs see: the initrd's files with a writable memory file system over them.
//
// One tree of memory vnodes. The files of the initrd begin with their data in the archive's own page frames where those are
// aligned; a page that is written is copied first (memory_file.h). Nothing is read-only but by its mode bits.
#pragma once

#include <span>

#include "kernel/fs/cpio.h"
#include "kernel/fs/directory.h"

struct RootOptions {
    std::span<const uint8_t> initrd;    // as ram::at() gives it; files whose data is page aligned are used in place
    PageCount data_limit{0};            // what file data may take; 0: half of what is free now
};
struct RootReport {
    CpioProblem problem;                // of the archive; the entries before it are there
    unsigned entries = 0;
};
// Makes the tree: the initrd, /dev, /tmp, /home. Once, before any path is walked. NoMemory.
Result<RootReport> file_system_init(const RootOptions& options);
// Makes the console's vnode known as /dev/console and /dev/tty.
Result<> file_system_add_device(const char* path, Vnode& device);

Directory& root_directory();
void file_system_destroy();             // everything given back: for tests

struct FileSystemStats {
    PageCount used, limit;              // pages of file data; the archive's own not counted
};
FileSystemStats file_system_stats();
