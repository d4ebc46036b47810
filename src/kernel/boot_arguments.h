// Boot arguments: `name=value` words that the loader hands over, as typed values.
//
// Filled in once by boot/main.cpp before other cores run, read-only from then on. Texts point into what was parsed,
// which must stay. A word that is unknown or whose value is wrong is reported and ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/types.h"

struct BootArguments {
    std::string_view console;           // console=: which line is the console; "" is the usual one
    std::string_view command;           // cmd=: still percent-encoded; init runs it
    std::string_view test_filter;       // test=: which tests the test image runs
    std::string_view fault;             // fault=: how the kernel is to break, to see its report
    std::string_view hello;             // hello=: whom the boot log greets
    uint32_t pid_max = 0;               // pid_max=; 0: the usual
    uint32_t process_max = 0;           // maxproc=; 0: the usual
    uint32_t memory_mib = 0;            // memory=: RAM from there on is not used; 0: all is
    uint32_t timeout_seconds = 0;       // timeout=; 0: none
    uint32_t trace_records = 0;         // trace=: records that each core keeps; 0: no trace
    uint64_t seed = 0;                  // seed=, if `seeded`
    bool seeded = false;
    bool copy_eagerly = false;          // copy=eager; copy=cow is the usual
    bool check_freed = false;           // freed=check: find who writes to freed memory
    bool quiet = false;                 // quiet
    bool heartbeat = false;             // heartbeat: the board's green light shows that the kernel lives
    bool reset_at_end = false;          // end=reset: the board's loader comes again; end=halt is the usual
};

// What was wrong with one word, for the log.
struct BootArgumentProblem {
    std::string_view word;
    const char* what;                   // "is not known", "wants a number", ...
};

// Parses `text` and stores at most `capacity` problems; `problem_count` is how many there were.
BootArguments parse_boot_arguments(std::string_view text, BootArgumentProblem* problems, size_t capacity,
                                   size_t& problem_count);

inline BootArguments boot_arguments;
