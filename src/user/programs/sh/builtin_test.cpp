// test and [: the expressions with one, two and three words that POSIX defines, and "!".
#include <sys/stat.h>
#include <unistd.h>

#include "user/programs/sh/builtin_kinds.h"
#include "user/programs/sh/shell.h"

namespace {

bool file_test(char letter, const char* path) {
    struct stat info;
    if (letter == 'r' || letter == 'w' || letter == 'x') {
        return access(path, letter == 'r' ? R_OK : letter == 'w' ? W_OK : X_OK) == 0;
    }
    if (stat(path, &info) < 0) {
        return false;
    }
    switch (letter) {
    case 'f': return S_ISREG(info.st_mode);
    case 'd': return S_ISDIR(info.st_mode);
    case 'c': return S_ISCHR(info.st_mode);
    case 's': return info.st_size > 0;
    default: return letter == 'e';
    }
}

int compare(const String& left, const String& operation, const String& right) {
    const char* name = operation.c_str();
    if (strcmp(name, "=") == 0 || strcmp(name, "==") == 0) {
        return left.equals(right.c_str()) ? 0 : 1;
    }
    if (strcmp(name, "!=") == 0) {
        return left.equals(right.c_str()) ? 1 : 0;
    }
    long a = 0, b = 0;
    if (!parse_number(left.c_str(), a) || !parse_number(right.c_str(), b)) {
        complain("test", "numbers are wanted");
        return 2;
    }
    const bool holds = strcmp(name, "-eq") == 0   ? a == b
                       : strcmp(name, "-ne") == 0 ? a != b
                       : strcmp(name, "-lt") == 0 ? a < b
                       : strcmp(name, "-le") == 0 ? a <= b
                       : strcmp(name, "-gt") == 0 ? a > b
                       : strcmp(name, "-ge") == 0 && a >= b;
    return holds ? 0 : 1;
}

}  // namespace

int do_test(const List<String>& words) {
    int first = 1, last = words.count();
    if (words[0].equals("[")) {
        if (!words[last - 1].equals("]")) {
            complain("[", "a closing ] is missing");
            return 2;
        }
        --last;
    }
    bool negated = false;
    while (last - first > 1 && words[first].equals("!")) {
        negated = !negated;
        ++first;
    }
    int status = 1;
    if (last - first == 1) {
        status = words[first].empty() ? 1 : 0;
    } else if (last - first == 2 && words[first].length() == 2 && words[first][0] == '-') {
        const char letter = words[first][1];
        const String& operand = words[first + 1];
        const bool holds = letter == 'n' ? !operand.empty() : letter == 'z' ? operand.empty() : file_test(letter, operand.c_str());
        status = holds ? 0 : 1;
    } else if (last - first == 3) {
        status = compare(words[first], words[first + 1], words[first + 2]);
    } else if (last - first > 0) {
        complain("test", "too many words");
        return 2;
    }
    return status > 1 ? status : (status != 0) != negated ? 1 : 0;
}
