#include "user/programs/sh/pattern.h"

#include <dirent.h>
#include <sys/stat.h>

static const char* bracket_end(const char* pattern) {
    const char* at = pattern + 1 + (pattern[1] == '!' || pattern[1] == '^');
    if (*at == ']') {
        ++at;
    }
    while (*at != '\0' && *at != ']') {
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    }
    return *at == ']' ? at : nullptr;
}

static bool bracket_matches(const char* at, const char* end, char c) {
    const bool negated = *at == '!' || *at == '^';
    at += negated;
    bool found = false;
    for (; at < end; ++at) {
        if (*at == '\\' && at + 1 < end) {
            ++at;
        }
        if (at + 2 < end && at[1] == '-') {
            found |= at[0] <= c && c <= at[2];
            at += 2;
        } else {
            found |= *at == c;
        }
    }
    return found != negated;
}

bool pattern_matches(const char* pattern, const char* text) {
    for (; *pattern != '\0'; ++pattern, ++text) {
        if (*pattern == '*') {
            while (*pattern == '*') {
                ++pattern;
            }
            for (;; ++text) {
                if (pattern_matches(pattern, text)) {
                    return true;
                }
                if (*text == '\0') {
                    return false;
                }
            }
        }
        if (*text == '\0') {
            return false;
        }
        const char* end = *pattern == '[' ? bracket_end(pattern) : nullptr;
        if (end != nullptr) {
            if (!bracket_matches(pattern + 1, end, *text)) {
                return false;
            }
            pattern = end;
        } else if (*pattern != '?') {
            pattern += *pattern == '\\' && pattern[1] != '\0';
            if (*pattern != *text) {
                return false;
            }
        }
    }
    return *text == '\0';
}

bool pattern_has_magic(const char* pattern) {
    for (; *pattern != '\0'; ++pattern) {
        if (*pattern == '\\' && pattern[1] != '\0') {
            ++pattern;
        } else if (*pattern == '*' || *pattern == '?' || (*pattern == '[' && bracket_end(pattern) != nullptr)) {
            return true;
        }
    }
    return false;
}

String pattern_plain(const char* pattern) {
    String plain;
    for (; *pattern != '\0'; ++pattern) {
        pattern += *pattern == '\\' && pattern[1] != '\0';
        plain.add(*pattern);
    }
    return plain;
}

// Matches the rest of a pattern, component by component, below what is found so far.
static void find_files(const String& found, const char* rest, List<String>& files) {
    String prefix = found;
    while (*rest == '/') {
        prefix.add(*rest++);
    }
    if (*rest == '\0') {
        files.add(prefix);
        return;
    }
    const char* slash = strchr(rest, '/');
    const String component(rest, slash != nullptr ? static_cast<int>(slash - rest) : static_cast<int>(strlen(rest)));
    const char* after = rest + component.length();
    if (!pattern_has_magic(component.c_str())) {
        prefix.append(pattern_plain(component.c_str()));
        struct stat info;
        if (lstat(prefix.c_str(), &info) == 0) {
            find_files(prefix, after, files);
        }
        return;
    }
    DIR* directory = opendir(prefix.empty() ? "." : prefix.c_str());
    if (directory == nullptr) {
        return;
    }
    while (const struct dirent* entry = readdir(directory)) {
        if ((entry->d_name[0] == '.' && component[0] != '.') || !pattern_matches(component.c_str(), entry->d_name)) {
            continue;
        }
        String path = prefix;
        path.append(entry->d_name);
        struct stat info;
        if (*after == '\0' || (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))) {
            find_files(path, after, files);
        }
    }
    closedir(directory);
}

List<String> pattern_files(const char* pattern) {
    List<String> files;
    find_files(String(), pattern, files);
    sort_strings(files);
    return files;
}
