// The "newc" form of cpio archives (magic 070701), read in place from a range of memory.
//
// Every number of the archive is checked against the range before it is used: a broken archive ends in a CpioProblem that
// names the place, never in a read outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

struct CpioEntry {
    std::string_view name;          // as it is in the archive; without a leading "./" or "/"
    uint32_t inode = 0, mode = 0, uid = 0, gid = 0, links = 0, modified = 0;
    uint32_t device_major = 0, device_minor = 0;    // of a device node
    std::span<const uint8_t> data;
    size_t offset = 0;              // of the header
};

struct CpioProblem {
    const char* what = nullptr;     // in words; nullptr: none
    size_t offset = 0;              // of the header it is about
    std::string_view name;          // of the entry, if it was read that far
};

class CpioReader {
public:
    explicit CpioReader(std::span<const uint8_t> archive) : archive_(archive) {}

    // The next entry; false at the end ("TRAILER!!!") and at a problem.
    bool next(CpioEntry& entry);
    // What is wrong, after next() was false: `what` is nullptr at the proper end.
    const CpioProblem& problem() const { return problem_; }
    // Where the next header would be: nothing before it is read again.
    size_t position() const { return at_; }

private:
    bool fail(const char* what) {
        problem_.what = what;
        return false;
    }
    bool parse_header(CpioEntry& entry, uint32_t& name_size, uint32_t& file_size);

    std::span<const uint8_t> archive_;
    size_t at_ = 0;
    bool finished_ = false;
    CpioProblem problem_;
};
