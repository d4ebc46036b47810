// What a runner of checks tells the grader, over a channel of its own.
//
// The descriptor in $WORDS brings this run's two words, seed and schedule, that in $RECORDS takes the records. A record counts only with
// its word, so that the text of a student's file is never taken for one. Fields are parted by 0x1f, records end with 0x1e.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

// The schedule to replay; empty: all of them.
extern std::string schedule_wanted;

// Before anything of a student's runs. False if no grader started the program. `passed` is the word with which a pass is recorded:
// main keeps it, and no other record is made with it.
bool read_words(std::string& passed);
// "failed", "missing", or "failure" with file, line, message, places and schedule.
void record(std::initializer_list<std::string> fields);
// Where the program lies; places are told as offsets from there.
uintptr_t load_address();
// Where we are, as offsets into the program: the grader gives them names.
std::string trace();
// Runs the test Group.name with `records` as its output, records the verdict, and ends the process: no destructor of a student's
// file runs behind the verdict. While the test runs, AddressSanitizer lets nobody read the word.
class TestOutput;
[[noreturn]] void run_check(const char* name, TestOutput& output, std::string passed);
// The test that runs is over: nothing more of it is executed.
[[noreturn]] void end_check();
