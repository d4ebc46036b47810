// What the small commands share: options with --help, and errors in the usual form.
//
// Each command is one file NAME.cpp with `int NAME_main(int, char**)`; the list is in main.cpp. All of them are one
// program, which looks at its own name; programs.mk makes the links.
#pragma once

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The name that the command was called by.
extern const char* tool_name;

// "ls: /x: No such file or directory", by errno. Returns 1, the status of a command that met an error.
int complain_about(const char* what);
// "ls: what: why".
int complain(const char* what, const char* why);

// getopt, after a look at --help: prints the text and exits with 0 if it is asked for. A bad option ends the program
// with status 2 and a hint. Returns -1 after the last option.
int next_option(int argc, char** argv, const char* letters, const char* help);
// For commands without options: only --help (and "--") is one.
void no_options(int argc, char** argv, const char* help);
// Ends the program with status 2 and a hint at --help.
[[noreturn]] void usage_error(const char* why);

// A whole number or the end of the program with "NAME: x: not a number".
long number_argument(const char* text);

// Runs a command in the place of this one; only if it can not: its status, after a complaint.
int become(char** command);

// Opens for reading; "-" is the standard input. Complains and returns -1 if it cannot.
int open_input(const char* path);
// Writes all of it; false after a complaint.
bool write_all(int fd, const void* data, size_t size);

// Calls `each(fd, name)` for every operand, or for the standard input if there is none. Returns 1 if one failed.
template <typename Each>
int for_each_input(int argc, char** argv, int first, Each each) {
    int status = 0;
    if (first >= argc) {
        return each(STDIN_FILENO, "-");
    }
    for (int i = first; i < argc; ++i) {
        const int fd = open_input(argv[i]);
        if (fd < 0) {
            status = 1;
            continue;
        }
        if (each(fd, argv[i]) != 0) {
            status = 1;
        }
        if (fd != STDIN_FILENO) {
            close(fd);
        }
    }
    return status;
}

// Reads a descriptor line by line, without a bound on the length.
class LineReader {
public:
    explicit LineReader(int fd) : fd_(fd) {}
    ~LineReader() { free(line_); }
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    // The next line without its newline, or null at the end. Good until the next call.
    char* next();
    size_t length() const { return length_; }
    bool failed() const { return failed_; }

private:
    bool fill();
    bool append(char character);

    int fd_;
    char buffer_[4096];
    int used_ = 0, filled_ = 0;
    char* line_ = nullptr;
    size_t length_ = 0, capacity_ = 0;
    bool failed_ = false;
};

// "1.5M" of bytes; the result is a static buffer of four in turn.
const char* human_size(unsigned long long bytes);
// "drwxr-xr-x" of a mode.
void mode_string(unsigned mode, char text[11]);
// "directory/name", to be freed. Ends the program if there is no memory.
char* joined(const char* directory, const char* name);
