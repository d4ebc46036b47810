// ls: what is in directories.
#include "user/programs/tools/tool.h"

#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

static constexpr char help[] =
    "usage: ls [-la1dhF] [FILE...]\n"
    "Lists directories (the current one) and files.\n"
    "  -l  long: mode, links, owner, size, time\n"
    "  -a  names that begin with a dot too\n"
    "  -1  one name a line\n"
    "  -d  directories themselves, not what is in them\n"
    "  -h  sizes as 1.5K, 2.0M\n"
    "  -F  mark directories with / and programs with *\n";

namespace {

bool long_form = false, all = false, one_column = false, directories_themselves = false, human = false, marks = false;

struct Entry {
    char* name;
    struct stat info;
};

char mark_of(const Entry& entry) {
    if (!marks) {
        return '\0';
    }
    return S_ISDIR(entry.info.st_mode) ? '/' : (entry.info.st_mode & 0111) != 0 ? '*' : '\0';
}

int show_name(const Entry& entry) {
    const int length = printf("%s", entry.name);
    if (mark_of(entry) == '\0') {
        return length;
    }
    putchar(mark_of(entry));
    return length + 1;
}

void show_long(const Entry& entry) {
    char mode[11], when[20];
    mode_string(entry.info.st_mode, mode);
    const time_t modified = entry.info.st_mtime;
    struct tm parts;
    gmtime_r(&modified, &parts);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M", &parts);
    printf("%s %2u %-5u ", mode, entry.info.st_nlink, entry.info.st_uid);
    if (human) {
        printf("%7s", human_size(static_cast<unsigned long long>(entry.info.st_size)));
    } else {
        printf("%9ld", static_cast<long>(entry.info.st_size));
    }
    printf(" %s ", when);
    show_name(entry);
    putchar('\n');
}

int terminal_width() {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        return size.ws_col != 0 ? size.ws_col : 80;
    }
    return 0;
}

// Down the columns, as many as fit.
void show_columns(const Entry* entries, int count, int width) {
    int longest = 1;
    for (int i = 0; i < count; ++i) {
        const int length = static_cast<int>(strlen(entries[i].name)) + (mark_of(entries[i]) != '\0');
        longest = length > longest ? length : longest;
    }
    const int columns = width / (longest + 2) > 0 ? width / (longest + 2) : 1;
    const int rows = (count + columns - 1) / columns;
    for (int row = 0; row < rows; ++row) {
        for (int i = row; i < count; i += rows) {
            const int printed = show_name(entries[i]);
            if (i + rows < count) {
                printf("%*s", longest + 2 - printed, "");
            }
        }
        putchar('\n');
    }
}

int by_name(const void* a, const void* b) {
    return strcmp(static_cast<const Entry*>(a)->name, static_cast<const Entry*>(b)->name);
}

void show(Entry* entries, int count) {
    qsort(entries, static_cast<size_t>(count), sizeof *entries, by_name);
    const int width = long_form || one_column ? 0 : terminal_width();
    if (width > 0) {
        show_columns(entries, count, width);
        return;
    }
    for (int i = 0; i < count; ++i) {
        if (long_form) {
            show_long(entries[i]);
        } else {
            show_name(entries[i]);
            putchar('\n');
        }
    }
}

int list_directory(const char* path) {
    DIR* directory = opendir(path);
    if (directory == nullptr) {
        return complain_about(path);
    }
    Entry* entries = nullptr;
    int count = 0, status = 0;
    while (const struct dirent* found = readdir(directory)) {
        if (found->d_name[0] == '.' && !all) {
            continue;
        }
        entries = static_cast<Entry*>(realloc(entries, sizeof *entries * static_cast<size_t>(count + 1)));
        Entry& entry = entries[count];
        entry = {strdup(found->d_name), {}};
        if (long_form || marks) {
            char* full = joined(path, found->d_name);
            const bool there = lstat(full, &entry.info) == 0;
            status |= there ? 0 : complain_about(full);
            free(full);
            if (!there) {
                free(entry.name);
                continue;
            }
        }
        ++count;
    }
    closedir(directory);
    show(entries, count);
    for (int i = 0; i < count; ++i) {
        free(entries[i].name);
    }
    free(entries);
    return status;
}

}  // namespace

int ls_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "la1dhF", help)) != -1;) {
        long_form |= option == 'l';
        all |= option == 'a';
        one_column |= option == '1';
        directories_themselves |= option == 'd';
        human |= option == 'h';
        marks |= option == 'F';
    }
    static char here[] = ".";
    static char* nothing[] = {here};
    char** operands = optind < argc ? argv + optind : nothing;
    const int count = optind < argc ? argc - optind : 1;

    // Files first, together; then each directory.
    Entry* files = static_cast<Entry*>(calloc(static_cast<size_t>(count), sizeof *files));
    char** directories = static_cast<char**>(calloc(static_cast<size_t>(count), sizeof *directories));
    int file_count = 0, directory_count = 0, status = 0;
    for (int i = 0; i < count; ++i) {
        struct stat info;
        if (lstat(operands[i], &info) < 0) {
            status = complain_about(operands[i]);
        } else if (S_ISDIR(info.st_mode) && !directories_themselves) {
            directories[directory_count++] = operands[i];
        } else {
            files[file_count++] = {operands[i], info};
        }
    }
    if (file_count > 0) {
        show(files, file_count);
    }
    for (int i = 0; i < directory_count; ++i) {
        if (count > 1) {
            printf("%s%s:\n", i > 0 || file_count > 0 ? "\n" : "", directories[i]);
        }
        status |= list_directory(directories[i]);
    }
    return status;
}
