// sort: lines in order.
#include "user/programs/tools/tool.h"

static constexpr char help[] =
    "usage: sort [-rnu] [FILE...]\n"
    "Writes the lines of the files or of the standard input in order.\n"
    "  -r  backwards\n"
    "  -n  by the number at the beginning\n"
    "  -u  equal lines once\n";

namespace {

bool backwards = false, numeric = false, unique = false;
char** lines = nullptr;
size_t count = 0, capacity = 0;

int compare(const void* a, const void* b) {
    const char* first = *static_cast<char* const*>(a);
    const char* second = *static_cast<char* const*>(b);
    int order = 0;
    if (numeric) {
        const long x = strtol(first, nullptr, 10), y = strtol(second, nullptr, 10);
        order = (x > y) - (x < y);
    }
    if (order == 0) {
        order = strcmp(first, second);
    }
    return backwards ? -order : order;
}

bool add(const char* line) {
    if (count == capacity) {
        capacity = capacity != 0 ? 2 * capacity : 64;
        lines = static_cast<char**>(realloc(lines, capacity * sizeof *lines));
    }
    return lines != nullptr && (lines[count++] = strdup(line)) != nullptr;
}

}  // namespace

int sort_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "rnu", help)) != -1;) {
        backwards |= option == 'r';
        numeric |= option == 'n';
        unique |= option == 'u';
    }
    const int status = for_each_input(argc, argv, optind, [](int fd, const char* name) {
        LineReader reader(fd);
        while (const char* line = reader.next()) {
            if (!add(line)) {
                return complain_about(name);
            }
        }
        return reader.failed() ? complain_about(name) : 0;
    });
    if (count > 1) {
        qsort(lines, count, sizeof *lines, compare);
    }
    for (size_t i = 0; i < count; ++i) {
        if (!unique || i == 0 || strcmp(lines[i - 1], lines[i]) != 0) {
            puts(lines[i]);
        }
    }
    return status;
}
