// grep: lines that match a pattern. Patterns know . [...] [^...] * ^ $ and \; nothing else is special.
#include "user/programs/tools/tool.h"

#include <ctype.h>

static constexpr char help[] =
    "usage: grep [-ivnclq] PATTERN [FILE...]\n"
    "Writes the lines that match. In a pattern . is any character, [abc] one of these,\n"
    "* repeats what is before it, ^ and $ are the ends of the line, \\ takes the next as it is.\n"
    "  -i  capital and small letters are the same\n"
    "  -v  the lines that do not match\n"
    "  -n  with line numbers\n"
    "  -c  only count\n"
    "  -l  only the names of files with a match\n"
    "  -q  write nothing; the exit status tells\n"
    "Exit status: 0 if a line was chosen, 1 if none, 2 after an error.\n";

namespace {

bool ignore_case = false;

char fold(char c) { return ignore_case ? static_cast<char>(tolower(static_cast<unsigned char>(c))) : c; }

// The end of the single item at `pattern`: a character, an escaped one, or a bracket.
const char* item_end(const char* pattern) {
    if (*pattern == '\\' && pattern[1] != '\0') {
        return pattern + 2;
    }
    if (*pattern == '[') {
        const char* at = pattern + 1 + (pattern[1] == '^');
        if (*at == ']') {
            ++at;
        }
        while (*at != '\0' && *at != ']') {
            ++at;
        }
        if (*at == ']') {
            return at + 1;
        }
    }
    return pattern + 1;
}

bool bracket_matches(const char* at, const char* end, char c) {
    const bool negated = *at == '^';
    at += negated;
    bool found = false;
    for (; at < end; ++at) {
        if (at + 2 < end && at[1] == '-') {
            found |= fold(at[0]) <= fold(c) && fold(c) <= fold(at[2]);
            at += 2;
        } else {
            found |= fold(*at) == fold(c);
        }
    }
    return found != negated;
}

bool item_matches(const char* item, const char* end, char c) {
    if (c == '\0') {
        return false;
    }
    if (*item == '\\' && end == item + 2) {
        return fold(item[1]) == fold(c);
    }
    if (*item == '[' && end > item + 1) {
        return bracket_matches(item + 1, end - 1, c);
    }
    return *item == '.' || fold(*item) == fold(c);
}

bool match_here(const char* pattern, const char* text) {
    while (*pattern != '\0') {
        if (*pattern == '$' && pattern[1] == '\0') {
            return *text == '\0';
        }
        const char* end = item_end(pattern);
        if (*end == '*') {
            const char* longest = text;
            while (item_matches(pattern, end, *longest)) {
                ++longest;
            }
            for (; longest >= text; --longest) {
                if (match_here(end + 1, longest)) {
                    return true;
                }
            }
            return false;
        }
        if (!item_matches(pattern, end, *text)) {
            return false;
        }
        pattern = end;
        ++text;
    }
    return true;
}

bool matches(const char* pattern, const char* text) {
    if (*pattern == '^') {
        return match_here(pattern + 1, text);
    }
    for (;; ++text) {
        if (match_here(pattern, text)) {
            return true;
        }
        if (*text == '\0') {
            return false;
        }
    }
}

}  // namespace

int grep_main(int argc, char** argv) {
    bool inverted = false, numbers = false, count_only = false, names_only = false, quiet = false;
    for (int option; (option = next_option(argc, argv, "ivnclqEF", help)) != -1;) {
        ignore_case |= option == 'i';
        inverted |= option == 'v';
        numbers |= option == 'n';
        count_only |= option == 'c';
        names_only |= option == 'l';
        quiet |= option == 'q';
    }
    if (optind >= argc) {
        usage_error("a pattern is missing");
    }
    const char* pattern = argv[optind++];
    const bool names = argc - optind > 1;
    bool any = false;
    const int failed = for_each_input(argc, argv, optind, [&](int fd, const char* name) {
        LineReader reader(fd);
        unsigned long number = 0, chosen = 0;
        while (const char* line = reader.next()) {
            ++number;
            if (matches(pattern, line) == inverted) {
                continue;
            }
            ++chosen;
            if (quiet || names_only) {
                break;
            }
            if (count_only) {
                continue;
            }
            if (names) {
                printf("%s:", name);
            }
            if (numbers) {
                printf("%lu:", number);
            }
            puts(line);
        }
        any |= chosen > 0;
        if (count_only && !quiet) {
            printf("%s%s%lu\n", names ? name : "", names ? ":" : "", chosen);
        }
        if (names_only && chosen > 0 && !quiet) {
            puts(name);
        }
        return reader.failed() ? complain_about(name) : 0;
    });
    return failed ? 2 : any ? 0 : 1;
}
