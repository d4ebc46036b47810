#include "user/programs/tools/tool.h"

#include <fcntl.h>
#include <sys/stat.h>

int complain(const char* what, const char* why) {
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", tool_name, what, why);
    return 1;
}

int complain_about(const char* what) { return complain(what, strerror(errno)); }

[[noreturn]] void usage_error(const char* why) {
    fprintf(stderr, "%s: %s\nTry '%s --help'.\n", tool_name, why, tool_name);
    exit(2);
}

static void show_help_if_asked(int argc, char** argv, const char* help) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; ++i) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            exit(0);
        }
    }
}

int next_option(int argc, char** argv, const char* letters, const char* help) {
    if (optind == 1) {
        show_help_if_asked(argc, argv, help);
        opterr = 0;
    }
    const int option = getopt(argc, argv, letters);
    if (option == '?' || option == ':') {
        char why[48];
        const bool known = optopt != 0 && strchr(letters, optopt) != nullptr;
        snprintf(why, sizeof why, known ? "option -%c needs a value" : "unknown option -%c", optopt);
        usage_error(why);
    }
    return option;
}

void no_options(int argc, char** argv, const char* help) {
    show_help_if_asked(argc, argv, help);
    optind = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
}

long number_argument(const char* text) {
    char* end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0) {
        exit(complain(text, "not a number") + 1);
    }
    return value;
}

int become(char** command) {
    execvp(command[0], command);
    const int status = errno == ENOENT ? 127 : 126;
    complain_about(command[0]);
    return status;
}

int open_input(const char* path) {
    if (strcmp(path, "-") == 0) {
        return STDIN_FILENO;
    }
    const int fd = open(path, O_RDONLY);
    if (fd < 0) {
        complain_about(path);
    }
    return fd;
}

bool write_all(int fd, const void* data, size_t size) {
    const char* from = static_cast<const char*>(data);
    while (size > 0) {
        const int written = write(fd, from, size);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            complain_about("write");
            return false;
        }
        from += written;
        size -= static_cast<size_t>(written);
    }
    return true;
}

bool LineReader::fill() {
    do {
        filled_ = read(fd_, buffer_, sizeof buffer_);
    } while (filled_ < 0 && errno == EINTR);
    used_ = 0;
    failed_ = filled_ < 0;
    return filled_ > 0;
}

bool LineReader::append(char character) {
    if (length_ + 1 >= capacity_) {
        const size_t larger = capacity_ != 0 ? 2 * capacity_ : 128;
        char* line = static_cast<char*>(realloc(line_, larger));
        if (line == nullptr) {
            failed_ = true;
            return false;
        }
        line_ = line;
        capacity_ = larger;
    }
    line_[length_++] = character;
    line_[length_] = '\0';
    return true;
}

char* LineReader::next() {
    length_ = 0;
    bool any = false;
    while (used_ < filled_ || fill()) {
        any = true;
        const char character = buffer_[used_++];
        if (!append(character)) {
            return nullptr;
        }
        if (character == '\n') {
            line_[--length_] = '\0';
            return line_;
        }
    }
    return any ? line_ : nullptr;
}

const char* human_size(unsigned long long bytes) {
    static char texts[4][24];
    static unsigned turn = 0;
    char* text = texts[turn++ % 4];
    static constexpr char units[] = "BKMGT";
    int unit = 0;
    unsigned long long tenths = bytes * 10;
    while (tenths >= 10240 && unit < 4) {
        tenths = (tenths + 512) / 1024;
        ++unit;
    }
    if (unit == 0) {
        snprintf(text, sizeof texts[0], "%llu", bytes);
    } else if (tenths < 100) {
        snprintf(text, sizeof texts[0], "%llu.%llu%c", tenths / 10, tenths % 10, units[unit]);
    } else {
        snprintf(text, sizeof texts[0], "%llu%c", (tenths + 5) / 10, units[unit]);
    }
    return text;
}

void mode_string(unsigned mode, char text[11]) {
    text[0] = S_ISDIR(mode) ? 'd' : S_ISCHR(mode) ? 'c' : S_ISFIFO(mode) ? 'p' : S_ISLNK(mode) ? 'l' : '-';
    for (int i = 0; i < 9; ++i) {
        text[1 + i] = (mode & (0400u >> i)) != 0 ? "rwxrwxrwx"[i] : '-';
    }
    if (mode & S_ISUID) {
        text[3] = (mode & S_IXUSR) != 0 ? 's' : 'S';
    }
    if (mode & S_ISGID) {
        text[6] = (mode & S_IXGRP) != 0 ? 's' : 'S';
    }
    if (mode & S_ISVTX) {
        text[9] = (mode & S_IXOTH) != 0 ? 't' : 'T';
    }
    text[10] = '\0';
}

char* joined(const char* directory, const char* name) {
    const size_t length = strlen(directory) + strlen(name) + 2;
    char* path = static_cast<char*>(malloc(length));
    if (path == nullptr) {
        exit(complain_about(name));
    }
    snprintf(path, length, "%s/%s", directory, name);
    return path;
}
